"""The steps of an upgrade."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TableSize:
    """How much an index or a check has to read, as PostgreSQL estimates it."""

    rows: int
    bytes: int


@dataclass(frozen=True, slots=True)
class MigrationStep:
    """A transaction. `locks` are those for which others wait, by table; `reads` what it reads under them.

    `works_with` is the revision of the oldest version that may work with the tables afterwards; `beside` says
    whether processes of the version that the database has now may go on.
    """

    revision: str
    locks: tuple[tuple[str, str], ...]
    rewrites: tuple[str, ...]
    reads: tuple[str, ...]
    works_with: str | None
    beside: bool


@dataclass(frozen=True, slots=True)
class ConcurrentStep:
    """What is done after the migrations while everybody reads and writes. `again` after half an index was left."""

    statement: str
    table: str
    size: TableSize
    again: bool = False


@dataclass(frozen=True, slots=True)
class UpgradePlan:
    """All that is missing, in its order. `current` is None for an empty database."""

    current: str | None
    head: str
    migrations: tuple[MigrationStep, ...]
    concurrent: tuple[ConcurrentStep, ...]

    @property
    def beside(self) -> bool:
        """Whether processes of the version that the database has now may go on meanwhile, and afterwards."""
        return all(step.beside for step in self.migrations)
