"""What `genpulse flow` refuses, and why.

FlowError
├── NameRefused      a name that is no branch here, no version, or stands in another's way
├── MergeRefused     a merge that the model does not have, or that conflicts
├── LaneBroken       test or main carries what did not come from the lane before it
├── ReleaseRefused   a candidate or release that must not be
├── RepositoryUnfit  dirty, detached, shallow, without remote or lanes
└── GitFailed        git itself said no
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refusal:
    """The rule that is broken, what was found, and the command or step that mends it."""

    rule: str
    found: str
    mend: str

    def __str__(self) -> str:
        return f"{self.rule}\n  found: {_hang(self.found)}\n  mend:  {_hang(self.mend)}"


class FlowError(Exception):
    """Base of these errors: a rule, what was found, how to mend it. Every command ends with exit code 1."""

    def __init__(self, rule: str, found: str, mend: str) -> None:
        super().__init__(rule, found, mend)
        self.rule = rule
        self.found = found
        self.mend = mend

    @property
    def refusal(self) -> Refusal:
        """The same as a value."""
        return Refusal(self.rule, self.found, self.mend)

    def __str__(self) -> str:
        return str(self.refusal)


class NameRefused(FlowError):
    """A name that is no branch here, no version, or stands in another's way."""


class MergeRefused(FlowError):
    """A merge that the model does not have, or that conflicts."""


class LaneBroken(FlowError):
    """Test or main carries what did not come from the lane before it."""


class ReleaseRefused(FlowError):
    """A candidate or release that must not be."""


class RepositoryUnfit(FlowError):
    """The repository is not in a state to begin from: dirty, detached, shallow, without remote or lanes."""


class GitFailed(FlowError):
    """Git itself said no."""


def _hang(text: str) -> str:
    return text.replace("\n", "\n         ")
