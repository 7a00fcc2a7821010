"""The port of what all processes of the API know of calls without an idempotency key."""

from typing import Protocol

from genpulse.domain.submission.repeated_calls import CallState


class CallMemory(Protocol):
    """Calls of the last ten minutes, by the digest of who asks for what and where.

    It may be lost at any moment: then each process has what it knows itself. Which call another one repeats:
    `domain.submission.repeated_calls`.
    """

    async def take(self, digest: str, new_key: str, *, repeats: bool) -> str | None:
        """The key of the call that this one repeats, which is under way in this process from now on.

        It is `new_key` for a new one; that is noted as well, unless the client says that it `repeats`: somebody
        else may know what. None where nobody can be asked. What was under way in a process that has died is lost.
        """

    def note(self, digest: str, key: str, state: CallState) -> None:
        """Note soon how far a call of this process has come; nobody waits for it."""
