"""Retention policies and what they remove."""

from dataclasses import dataclass
from datetime import timedelta

from genpulse.domain.assets.asset import KEY_LASTS

CLOCKS_DIFFER_S = 60.0
"""Whose clock is further from the database's than so many seconds removes nothing."""


@dataclass(frozen=True, slots=True)
class Ages:
    """What is older goes: ended tasks by their end, assets by their creation; None keeps them for ever.

    `objects`: bytes of no asset that were last expected, or whose newest asset was created, longer ago are found
    by nobody who stores the same content now.
    """

    tasks: timedelta | None
    assets: timedelta | None
    objects: timedelta


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    """How long ended tasks and the assets that no task needs are kept; None is for ever.

    `tombstones` is for how long it is kept that a task was deleted, counting from then, and `ledger` for how long
    the entries of a day are.
    `grace` is more time than ever passes between storing bytes and committing the asset that they belong to, also
    when clocks differ. `batch` is how many rows go in one transaction.
    """

    tasks: timedelta | None = timedelta(days=90)
    assets: timedelta | None = timedelta(days=90)
    grace: timedelta = timedelta(days=1)
    batch: int = 1000
    tombstones: timedelta | None = timedelta(days=90)
    ledger: timedelta | None = None

    @property
    def ages(self) -> Ages:
        """At which ages something goes."""
        return Ages(self.tasks, self.assets, KEY_LASTS + self.grace)


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was removed: rows, and `objects` of the storage with together so many `bytes`."""

    tasks: int = 0
    attempts: int = 0
    deliveries: int = 0
    assets: int = 0
    objects: int = 0
    bytes: int = 0

    def __add__(self, other: "Pruned") -> "Pruned":
        return Pruned(
            tasks=self.tasks + other.tasks,
            attempts=self.attempts + other.attempts,
            deliveries=self.deliveries + other.deliveries,
            assets=self.assets + other.assets,
            objects=self.objects + other.objects,
            bytes=self.bytes + other.bytes,
        )

    @property
    def is_nothing(self) -> bool:
        """Nothing was old enough."""
        return self == Pruned()


@dataclass(frozen=True, slots=True)
class Batch:
    """What one transaction removed, and whether there may be more of the same."""

    pruned: Pruned
    more: bool


@dataclass(frozen=True, slots=True)
class StoredObject:
    """Bytes in the storage under `key`, `size` of them."""

    key: str
    size: int


@dataclass(frozen=True, slots=True)
class Doomed:
    """Objects that may be removed, and whether there may be more of them."""

    objects: tuple[StoredObject, ...]
    more: bool
