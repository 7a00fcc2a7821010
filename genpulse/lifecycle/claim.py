"""Claiming due tasks: resumed ones first, within the limits of each account."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from genpulse.domain.attempt import Begun, Worker
from genpulse.ports import Services

NewIds = Callable[[int], Sequence[UUID]]
"""So many ids for attempts that may begin, of which whoever gives them knows that they are about to."""


@dataclass(frozen=True, slots=True)
class ClaimResult:
    """What was claimed, and has begun.

    `more`: there may be more at once. `again_s`: seconds until an account lets more through, None when none holds
    work back.
    """

    begun: tuple[Begun, ...] = ()
    more: bool = False
    again_s: float | None = None

    def __add__(self, other: "ClaimResult") -> "ClaimResult":
        waits = [wait_s for wait_s in (self.again_s, other.again_s) if wait_s is not None]
        return ClaimResult(self.begun + other.begun, self.more or other.more, min(waits, default=None))


async def claim(
    services: Services, worker: Worker, providers: Sequence[str], room: int, new_ids: NewIds
) -> ClaimResult:
    """At most `room` (1 or more) tasks of these providers, none of which takes all the room from the others.

    What an account does not let through stays in the queue, so that nobody asks for it again and again and a task
    of higher priority that comes later still goes first. Raises `DatabaseUnavailable`.
    """
    if all(_is_free(services, provider) for provider in providers):
        begun = await services.store.claim_any(worker, providers, new_ids(room))
        return ClaimResult(begun, more=_has_used_its_part(begun, max(room // len(providers), 1)))
    begun = await services.store.claim_resumed(worker, providers, new_ids(room))
    caught = ClaimResult(begun, more=len(begun) == room)
    due = () if caught.more else await services.queue.due(providers)
    for left, provider in zip(range(len(due), 0, -1), due, strict=True):
        part = -(-(room - len(caught.begun)) // left)
        caught += await _claim(services, worker, provider, part, new_ids)
    return caught


def _has_used_its_part(begun: Sequence[Begun], part: int) -> bool:
    """Whether one provider has begun so many: it may have more."""
    return any(count >= part for count in Counter(one.task.provider for one in begun).values())


def _is_free(services: Services, provider: str) -> bool:
    return not services.gate.guards(provider) and not services.queue.limited(provider)


async def _claim(services: Services, worker: Worker, provider: str, room: int, new_ids: NewIds) -> ClaimResult:
    if room <= 0:
        return ClaimResult(more=True)
    if services.gate.guards(provider):
        return await _claim_guarded(services, worker, provider, room, new_ids)
    begun = await services.store.claim(worker, provider, new_ids(room), resumed=False)
    return ClaimResult(begun, more=len(begun) == room)


async def _claim_guarded(
    services: Services, worker: Worker, provider: str, room: int, new_ids: NewIds
) -> ClaimResult:
    """When PostgreSQL goes away here, what was let through is given back, also where it has begun unheard."""
    admission = await services.gate.admit(provider, room)
    if admission.granted <= 0:
        return ClaimResult(again_s=admission.wait_s)
    begun: tuple[Begun, ...] = ()
    try:
        claimed = await services.store.claim(worker, provider, new_ids(admission.granted), resumed=False)
        begun = tuple(replace(one, admitted=True) for one in claimed)
    finally:
        if missing := admission.granted - len(begun):
            await services.gate.give_back(provider, missing)
    if missing:
        return ClaimResult(begun)
    return ClaimResult(begun, more=not admission.wait_s, again_s=admission.wait_s or None)
