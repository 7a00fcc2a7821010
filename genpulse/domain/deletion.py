"""Deleting tasks and assets for good, and what is kept of that."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

AT_ONCE = 500
"""So many tasks are deleted by one statement at most."""


@dataclass(frozen=True, slots=True)
class Deletion:
    """What became of ids that were to be deleted; those of nobody, or of another owner, are in none of these.

    `deleted` are those that were there. Of these, `live` had not ended and are still to be stopped.
    `deleted_before` were deleted before.
    """

    deleted: tuple[UUID, ...] = ()
    live: tuple[UUID, ...] = ()
    deleted_before: tuple[UUID, ...] = ()

    def __add__(self, other: "Deletion") -> "Deletion":
        return Deletion(
            self.deleted + other.deleted, self.live + other.live, self.deleted_before + other.deleted_before
        )


def key_digest(owner: str, idempotency_key: str) -> bytes:
    """What is kept of the idempotency key of a deleted task: its SHA-256, together with its owner.

    The statement that deletes tasks says the same in SQL.
    """
    return hashlib.sha256(f"{owner}\x1f{idempotency_key}".encode("utf-8", "surrogatepass")).digest()


def another_key(key: str, tries: int, random_hex: str) -> str:
    """Where content is stored whose own key is never to be used again: `tries` keys in a row were like that.

    The first few have numbers, so that the same content still lies there once.
    """
    return f"{key}-{tries if tries <= NUMBERED else random_hex}"


NUMBERED = 3


def chunks(ids: Sequence[UUID]) -> list[Sequence[UUID]]:
    """The ids in parts of `AT_ONCE`, each id once."""
    distinct = list(dict.fromkeys(ids))
    return [distinct[start : start + AT_ONCE] for start in range(0, len(distinct), AT_ONCE)]
