"""Ids for the attempts that a worker may begin."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from uuid import UUID


class AttemptIds:
    """Makes ids, and knows which may belong to an attempt of which this worker has not heard yet.

    At most `most_spare` ids that a claim left over serve the next one: most claims begin few of what there is room
    for. Those of a claim without an answer are never used again, since attempts may have begun under them.
    """

    def __init__(self, new_id: Callable[[], UUID], most_spare: int) -> None:
        self._new_id = new_id
        self._most_spare = most_spare
        self._spare: list[UUID] = []
        self._in_claims: set[UUID] = set()

    @property
    def in_claims(self) -> frozenset[UUID]:
        """Ids under which an attempt may begin at this moment."""
        return frozenset(self._in_claims)

    @contextmanager
    def for_claim(self) -> Iterator["ClaimIds"]:
        """The ids of one claim. Where the body raises, none of them is used again."""
        ids = ClaimIds(self._take)
        try:
            yield ids
            self._spare += ids.unused
            del self._spare[self._most_spare :]
        finally:
            self._in_claims.difference_update(ids.all)

    def _take(self, count: int) -> Sequence[UUID]:
        ids = self._spare[:count]
        del self._spare[:count]
        ids += [self._new_id() for _ in range(count - len(ids))]
        self._in_claims.update(ids)
        return ids


class ClaimIds:
    """The ids that one claim has got. `used` are those of attempts that began."""

    def __init__(self, take: Callable[[int], Sequence[UUID]]) -> None:
        self._take = take
        self.all: list[UUID] = []
        self.used: set[UUID] = set()

    def take(self, count: int) -> Sequence[UUID]:
        """So many more ids."""
        ids = self._take(count)
        self.all += ids
        return ids

    @property
    def unused(self) -> Sequence[UUID]:
        """The ids under which nothing began, once the claim was answered."""
        return [one for one in self.all if one not in self.used]
