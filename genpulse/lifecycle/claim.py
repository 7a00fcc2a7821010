"""Claiming due tasks: of providers that are free, or within the limits of each account."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from genpulse.domain.attempt import Claim, Worker
from genpulse.ports import Services

NewIds = Callable[[int], Sequence[UUID]]
"""Makes so many ids for attempts that may begin, and notes that they may."""


@dataclass(frozen=True, slots=True)
class ClaimResult:
    """The tasks that were claimed, each with the attempt that began.

    `more`: there may be more at once. `again_s`: seconds until an account lets more through, None when none holds
    work back.
    """

    claims: tuple[Claim, ...] = ()
    more: bool = False
    again_s: float | None = None

    def __add__(self, other: "ClaimResult") -> "ClaimResult":
        waits = [wait_s for wait_s in (self.again_s, other.again_s) if wait_s is not None]
        return ClaimResult(self.claims + other.claims, self.more or other.more, min(waits, default=None))


def is_free(services: Services, provider: str) -> bool:
    """Whether a provider has neither a gate nor a limit of tasks at once: nothing is asked before a claim."""
    return not services.gate.guards(provider) and not services.queue.limited(provider)


async def claim_free(
    services: Services, worker: Worker, providers: Sequence[str], room: int, new_ids: NewIds
) -> ClaimResult:
    """Claim at most `room` (1 or more) tasks of free providers, in one step.

    No provider takes all the room from the others. Raises `DatabaseUnavailable`.
    """
    claims = await services.store.claim_any(worker, providers, new_ids(room))
    part = max(room // len(providers), 1)
    counts = Counter(claim.task.provider for claim in claims)
    return ClaimResult(claims, more=any(count >= part for count in counts.values()))


async def claim_within_limits(
    services: Services, worker: Worker, providers: Sequence[str], room: int, new_ids: NewIds
) -> ClaimResult:
    """Claim at most `room` (1 or more) tasks: those that were given back, then what each account lets through.

    No provider takes all the room from the others. What an account does not let through stays in the queue, so
    that nobody asks for it again and again and a task of higher priority that comes later still goes first. Raises
    `DatabaseUnavailable`.
    """
    claims = await services.store.claim_resumed(worker, providers, new_ids(room))
    result = ClaimResult(claims, more=len(claims) == room)
    due = () if result.more else await services.queue.due(providers)
    for providers_left, provider in zip(range(len(due), 0, -1), due, strict=True):
        part = -(-(room - len(result.claims)) // providers_left)
        result += await _claim_new(services, worker, provider, part, new_ids)
    return result


async def _claim_new(services: Services, worker: Worker, provider: str, room: int, new_ids: NewIds) -> ClaimResult:
    if room <= 0:
        return ClaimResult(more=True)
    if services.gate.guards(provider):
        return await _claim_through_gate(services, worker, provider, room, new_ids)
    claims = await services.store.claim(worker, provider, new_ids(room), resumed=False)
    return ClaimResult(claims, more=len(claims) == room)


async def _claim_through_gate(
    services: Services, worker: Worker, provider: str, room: int, new_ids: NewIds
) -> ClaimResult:
    """Give back what the gate has admitted and was not claimed, also where the database's answer got lost."""
    admission = await services.gate.admit(provider, room)
    if admission.granted <= 0:
        return ClaimResult(again_s=admission.wait_s)
    claims: tuple[Claim, ...] = ()
    try:
        ids, seats = new_ids(admission.granted), admission.seats
        claims = await services.store.claim(worker, provider, ids, resumed=False, seats=seats)
    finally:
        if unused := admission.granted - len(claims):
            await services.gate.give_back(provider, unused)
    claims = tuple(replace(claim, admitted=True) for claim in claims)
    if unused:
        return ClaimResult(claims)
    return ClaimResult(claims, more=not admission.wait_s, again_s=admission.wait_s or None)
