"""The settings of a team for its repository."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Literal, TypeAlias

from genpulse.branching.rules.table import BRANCHES, DEV, LANES, MAIN, TEST, Branch
from genpulse.branching.rules.versions import Version

ApprovedBy: TypeAlias = Literal["person", "signature", "status"]

VERSION_FILES = ("pyproject.toml", "package.json", "Cargo.toml")
"""Where the version of a package is looked for."""


@dataclass(frozen=True, slots=True)
class LaneNames:
    """The names of the three lanes in a repository."""

    dev: str = DEV.pattern
    test: str = TEST.pattern
    main: str = MAIN.pattern

    def of(self, key: str) -> str:
        """The name here of what the model calls `key`; the word itself where it means no lane."""
        return {DEV.key: self.dev, TEST.key: self.test, MAIN.key: self.main}.get(key, key)


@dataclass(frozen=True, slots=True)
class Approval:
    """The approval that a candidate needs before it may go to main and be released.

    `person`: an annotated approval by somebody else than who tagged the candidate. `signature`: the same, with a
    good signature. `status`: the forge has the status `status` as a success on the candidate's commit.
    """

    by: ApprovedBy
    status: str = ""


@dataclass(frozen=True, slots=True)
class Policy:
    """The settings in `.flow.toml`; without the file, what is here.

    In patterns `*` stands for any signs, `/` too. `ignore` are branches that the flow does not look at, `bots`
    those of programs beside the known ones, `into_dev` families of people beside feature/* and fix/*. Releases up
    to `baseline` are from before the flow was adopted and count as verified. From `signed_since` on releases have
    to be signed. `approval` is None where nobody has to approve. `declared_in` are files whose declared version
    has to be the tag's.
    """

    ignore: tuple[str, ...] = ()
    bots: tuple[str, ...] = ()
    into_dev: tuple[str, ...] = ()
    baseline: Version | None = None
    signed_since: Version | None = None
    approval: Approval | None = None
    declared_in: tuple[str, ...] = VERSION_FILES
    names: LaneNames = field(default_factory=LaneNames)

    @property
    def lanes(self) -> tuple[Branch, ...]:
        """Dev, test and main under their names here, in the order in which a change passes them."""
        return _named(LANES, self.names)

    @property
    def branches(self) -> tuple[Branch, ...]:
        """All rows of the table with this repository's names."""
        return _named(BRANCHES, self.names)

    def row(self, row: Branch) -> Branch:
        """The row of the table as it is called here. It equals the one in the table."""
        return next(branch for branch in _named(BRANCHES, self.names) if branch == row)

    def lane_named(self, name: str) -> Branch | None:
        """The lane of this name; None when it is none."""
        return next((lane for lane in self.lanes if lane.pattern == name), None)

    def is_ignored(self, name: str) -> bool:
        """Whether the flow does not look at this branch."""
        return _fits(name, self.ignore)

    def is_allowed_bot(self, name: str) -> bool:
        """Whether the team says that a program made the branch."""
        return _fits(name, self.bots)

    def is_allowed_topic(self, name: str) -> bool:
        """Whether the team lets branches of this name merge into dev."""
        return _fits(name, self.into_dev)

    def is_from_before(self, version: Version) -> bool:
        """Whether it was released before the flow was adopted."""
        return self.baseline is not None and version.candidate is None and version <= self.baseline

    def demands_signature(self, version: Version) -> bool:
        """Whether the tag of this release has to be signed."""
        return self.signed_since is not None and version.final >= self.signed_since


DEFAULT = Policy()
"""Without a file."""


@lru_cache(maxsize=16)
def _named(rows: tuple[Branch, ...], names: LaneNames) -> tuple[Branch, ...]:
    return tuple(_row(row, names) for row in rows)


def _row(row: Branch, names: LaneNames) -> Branch:
    pattern = names.of(row.key) if row.is_lane else row.pattern
    before = tuple(names.of(name) for name in row.starts_from)
    return replace(row, pattern=pattern, starts_from=before, merges_into=names.of(row.merges_into))


def _fits(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
