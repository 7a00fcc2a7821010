"""Taking work from the queue: what has begun before what is new, and of each provider what its account allows."""

from collections.abc import Sequence
from dataclasses import dataclass

from genpulse.domain.attempt import Claim
from genpulse.ports import Services


@dataclass(frozen=True, slots=True)
class Catch:
    """What was claimed.

    `more`: there may be more at once. `again_s`: seconds until an account lets more through, None when none holds
    work back.
    """

    claims: tuple[Claim, ...] = ()
    more: bool = False
    again_s: float | None = None

    def __add__(self, other: "Catch") -> "Catch":
        waits = [wait_s for wait_s in (self.again_s, other.again_s) if wait_s is not None]
        return Catch(self.claims + other.claims, self.more or other.more, min(waits, default=None))


async def claim(services: Services, providers: Sequence[str], room: int) -> Catch:
    """At most `room` (1 or more) tasks of these providers, none of which takes all the room from the others.

    What an account does not let through stays in the queue, so that nobody asks for it again and again and a task
    of higher priority that comes later still goes first. Raises `DatabaseUnavailable`.
    """
    guarded = [provider for provider in providers if services.gate.guards(provider)]
    free = [provider for provider in providers if provider not in guarded]
    caught = await _claim_resumed(services, guarded, room)
    due = await services.queue.due(guarded) if guarded and room > len(caught.claims) else ()
    sources = len(due) + bool(free)
    for provider in due:
        caught += await _claim_guarded(services, provider, _part(room - len(caught.claims), sources))
        sources -= 1
    return caught + await _claim(services, free, room - len(caught.claims))


def _part(left: int, sources: int) -> int:
    return -(-left // sources)


async def _claim_resumed(services: Services, providers: Sequence[str], room: int) -> Catch:
    if not providers:
        return Catch()
    claims = await services.queue.claim_resumed(providers, room)
    return Catch(claims, more=len(claims) == room)


async def _claim(services: Services, providers: Sequence[str], room: int) -> Catch:
    if not providers or room <= 0:
        return Catch(more=room <= 0)
    claims = await services.queue.claim(providers, room)
    return Catch(claims, more=len(claims) == room)


async def _claim_guarded(services: Services, provider: str, room: int) -> Catch:
    """When PostgreSQL goes away here, what was let through is lost until the rate has made up for it."""
    if room <= 0:
        return Catch(more=True)
    admission = await services.gate.admit(provider, room)
    if admission.granted <= 0:
        return Catch(again_s=admission.wait_s)
    claims = await services.queue.claim([provider], admission.granted)
    if missing := admission.granted - len(claims):
        await services.gate.give_back(provider, missing)
        return Catch(claims)
    return Catch(claims, more=not admission.wait_s, again_s=admission.wait_s or None)
