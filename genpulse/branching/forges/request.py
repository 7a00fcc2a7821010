"""A pull request that is wanted, and what became of it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wanted:
    """From which branch into which, on one remote; `commit` is what the head is there or becomes."""

    remote: str
    head: str
    commit: str
    base: str
    title: str
    body: str

    @property
    def refspec(self) -> str:
        """What is pushed."""
        return f"{self.commit}:refs/heads/{self.head}"


@dataclass(frozen=True, slots=True)
class PullRequest:
    """Where it is; when it is not `opened`, a person has to open this address."""

    url: str
    opened: bool
