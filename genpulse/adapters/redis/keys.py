"""Every key and channel. Each begins with the environment's prefix, so that environments may share a server."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Keyspace:
    """Builds keys below `prefix`, such as `dev:`."""

    prefix: str

    def __post_init__(self) -> None:
        if len(self.prefix) < 2 or not self.prefix.endswith(":"):
            raise ValueError(f"the key prefix {self.prefix!r} must be a name that ends with ':', such as 'dev:'")

    @property
    def all_events(self) -> str:
        """With what the channels of events begin."""
        return f"{self.prefix}events:"

    def events(self, task_id: UUID) -> str:
        """The channel of a task's events."""
        return f"{self.prefix}events:{task_id}"

    def gate(self, provider: str) -> str:
        """Where a provider's account stands."""
        return f"{self.prefix}gate:{provider}"

    def gate_history(self, provider: str) -> str:
        """What happened to a provider's account."""
        return f"{self.prefix}gate_history:{provider}"

    def calls(self, digest: str) -> str:
        """What is known of calls that ask for the same."""
        return f"{self.prefix}calls:{digest}"

    @property
    def api_processes(self) -> str:
        """With what the channels begin to which the processes of the API listen, to be seen."""
        return f"{self.prefix}api:"

    @property
    def probe(self) -> str:
        """What is written to see whether anything can be."""
        return f"{self.prefix}probe"

    @property
    def workers(self) -> str:
        """The names of the workers, by the time until which they are seen.

        The braces let a cluster keep it where it keeps what is known about each of them.
        """
        return f"{self.prefix}{{workers}}"

    def worker(self, name: str) -> str:
        """What is known about one worker."""
        return f"{self.prefix}{{workers}}:{name}"
