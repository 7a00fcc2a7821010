"""Refusals of `genpulse flow`.

FlowError
├── NameRefused      a name that is no branch here, no version, or stands in another's way
├── MergeRefused     a merge that the model does not have, or that conflicts
├── LaneBroken       test or main carries what did not come from the lane before it
├── ReleaseRefused   a candidate or release that must not be
├── PolicyBroken     .flow.toml says what nobody understands
├── RepositoryUnfit  dirty, detached, shallow, without remote or lanes
└── GitFailed        git itself said no
"""

from dataclasses import dataclass
from typing import Self

from genpulse.branching.codes import Code


@dataclass(frozen=True, slots=True)
class Refusal:
    """The rule that is broken, what was found, and what mends it.

    `code` is for programs. `mend` are commands, each of which can be pasted as it is, the safest first; `note`
    says in words what they do, or what to do where no command does it.
    """

    code: Code
    rule: str
    found: str
    mend: tuple[str, ...] = ()
    note: str = ""

    @property
    def message(self) -> str:
        """Rule and finding as one text."""
        return f"{self.rule} Found: {self.found}"

    def __str__(self) -> str:
        note, mend = (self.note, "\n".join(self.mend)) if self.mend else ("", self.note)
        parts = (("found: ", self.found), ("note:  ", note), ("mend:  ", mend))
        return "\n".join([self.rule, *(f"  {name}{_hang(text)}" for name, text in parts if text)])


class FlowError(Exception):
    """Base class of the errors of `genpulse flow`: a refusal that is raised. Commands end with exit code 1."""

    def __init__(self, code: Code, rule: str, found: str, *mend: str, note: str = "") -> None:
        super().__init__(code, rule, found, *mend)
        self.refusal = Refusal(code, rule, found, mend, note)

    @classmethod
    def of(cls, refusal: Refusal) -> Self:
        """Make an error of this class from a refusal."""
        return cls(refusal.code, refusal.rule, refusal.found, *refusal.mend, note=refusal.note)

    @property
    def code(self) -> Code:
        """The refusal's code, for programs."""
        return self.refusal.code

    @property
    def rule(self) -> str:
        """The rule that is broken."""
        return self.refusal.rule

    @property
    def found(self) -> str:
        """The finding that breaks the rule."""
        return self.refusal.found

    @property
    def mend(self) -> tuple[str, ...]:
        """The commands that mend it; each can be pasted as it is."""
        return self.refusal.mend

    @property
    def note(self) -> str:
        """What the commands do, or what to do where there is none."""
        return self.refusal.note

    def __str__(self) -> str:
        return str(self.refusal)


class NameRefused(FlowError):
    """A name that is no branch here, no version, or stands in another's way."""


class MergeRefused(FlowError):
    """A merge that the model does not have, or that conflicts."""


class LaneBroken(FlowError):
    """Test or main carries what did not come from the lane before it."""


class ReleaseRefused(FlowError):
    """A candidate or release that is not allowed."""


class PolicyBroken(FlowError):
    """`.flow.toml` cannot be understood, or contradicts itself."""


class RepositoryUnfit(FlowError):
    """The repository is not in a state to begin from: dirty, detached, shallow, without remote or lanes."""


class GitFailed(FlowError):
    """Git itself failed."""


def _hang(text: str) -> str:
    return text.replace("\n", "\n         ")
