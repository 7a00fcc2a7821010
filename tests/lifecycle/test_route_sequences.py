"""Whatever happens to tasks with several models, in whichever order: one vendor is paid at most."""

import asyncio
import random
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field, replace
from uuid import UUID

import pytest

from genpulse.domain.errors import (
    ModerationBlocked,
    ProviderUnavailable,
    QuotaExhausted,
    RateLimited,
    Refused,
)
from genpulse.domain.failure import Charged
from genpulse.domain.task import TaskStatus
from genpulse.lifecycle.cancel import cancel
from genpulse.lifecycle.retry import retry
from genpulse.lifecycle.routing.reroute import reroute
from genpulse.lifecycle.submission.submit import Order, submit
from genpulse.provider import Immediate, Output, Result
from genpulse.providers.catalog import LoadedCatalogue
from tests.lifecycle.conftest import MEDIUM, QUICK
from tests.lifecycle.routed import Counted, Sized, Spoken, provider

NAMES = ("one", "two", "three")
FREE = (ProviderUnavailable("down"), RateLimited("slow"), QuotaExhausted("empty"))
STEPS = 60


@dataclass
class Moody(Immediate[Counted]):
    """Refuses, sells, or sells and loses the answer, by lot; it notes for which task it was paid."""

    name: str
    lots: random.Random
    paid: defaultdict[UUID, list[str]] = field(repr=False)

    async def generate(self, call):
        await asyncio.sleep(self.lots.random() * 0.01)
        lot = self.lots.random()
        if lot < 0.45:
            raise self.lots.choice(FREE)
        if lot < 0.5:
            raise ModerationBlocked("no")
        self.paid[call.task_id].append(self.name)
        if lot < 0.55:
            raise ConnectionResetError("lost")
        return Result((Output(MEDIUM + b"sold"),))


async def happen(world, lots):
    """Orders, cancels, retries and circuits that open, one after the other; the ids of the tasks."""
    ids = []
    for _ in range(STEPS):
        await asyncio.sleep(lots.random() * 0.02)
        match lots.choice(("submit", "submit", "submit", "submit", "cancel", "retry", "reroute", "reroute")):
            case "submit":
                models = tuple(f"{name}/m" for name in lots.sample(NAMES, lots.randint(1, 3)))
                order = Order(models, {"prompt": "x"}, deadline_s=lots.choice([None, None, 0.2]))
                ids.append((await submit(world.services, order)).task.id)
            case "reroute":
                await reroute(world.services, NAMES)
            case act if ids:
                with suppress(Refused):
                    await (cancel if act == "cancel" else retry)(world.services, lots.choice(ids))
    return ids


@pytest.mark.parametrize("seed", range(4))
async def test_no_sequence_pays_two_vendors(world, seed):
    lots, paid = random.Random(seed), defaultdict(list)
    takes = zip(NAMES, (Counted, Sized, Spoken), strict=True)
    made = [provider(name, "m", fields, Moody(name, lots, paid)) for name, fields in takes]
    world.gate._guarded = frozenset(NAMES)
    world.gate._policy = replace(world.gate._policy, first_s=0.05, longest_s=0.1)
    world.services = replace(world.services, catalogue=LoadedCatalogue(made))
    async with world.worker(replace(QUICK, concurrency=8)), world.worker(replace(QUICK, concurrency=3)):
        tasks = []
        while not any(task.route.hops for task in tasks):
            ids = await happen(world, lots)
            tasks += [await world.ended(await world.services.store.get(one)) for one in ids]
    for task in tasks:
        sold = paid[task.id]
        assert len(sold) <= 1, (task, sold)
        assert task.status is not TaskStatus.SUCCEEDED or sold == [task.provider]
        assert not sold or task.error is None or task.error.charged is not Charged.NO
        assert (task.model, task.provider) == (task.route.current.model, task.route.current.provider)
        left = [target.model for target in task.route.targets[: task.route.place]]
        assert [hop.model for hop in task.route.hops] == left
