"""A pull request before and after it is opened."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PullRequestDraft:
    """A pull request to open: from which branch into which.

    `commit` is what the head is where it is pushed, or becomes.

    The base is on `remote`. The head is pushed there, or to `push_remote` where that is another one: a fork.
    `fork` is the fork's path on the forge, `owner/name`, and empty without one. `is_lane`: the head is a lane.
    """

    remote: str
    head: str
    commit: str
    base: str
    title: str
    body: str
    push_remote: str = ""
    is_lane: bool = False
    fork: str = ""

    @property
    def to(self) -> str:
        """The remote that the head is pushed to."""
        return self.push_remote or self.remote

    @property
    def refspec(self) -> str:
        """The refspec to push."""
        return f"{self.commit}:refs/heads/{self.head}"

    @property
    def qualified(self) -> str:
        """The head as a forge knows it from the base's repository: `owner:branch` for a fork's."""
        owner = self.fork.rpartition("/")[0]
        return f"{owner}:{self.head}" if owner else self.head


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull request's address. When it is not `opened`, it is the one at which a person opens it."""

    url: str
    opened: bool
