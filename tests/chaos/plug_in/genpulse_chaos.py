"""The providers of the chaos suite: ordinary plug-ins for the vendor in `tests/chaos/vendor.py`.

Models of each shape: jobs that are looked up by their reference (`findable`), jobs that are not (`blind`),
requests that answer with the output (`immediate`), and work that is done here (`local`). `narrow` is a second
account, whose seats and rate are limited by the installation.
"""

import asyncio
import random
from collections.abc import Mapping
from typing import Any

from genpulse.provider import (
    Call,
    Cost,
    Immediate,
    Input,
    Job,
    Local,
    Model,
    Output,
    PollInterval,
    Progress,
    Provider,
    ProviderError,
    ProviderRejected,
    ProviderSettings,
    Report,
    Result,
    Submission,
    TwoPhase,
)
from genpulse.provider.account import Account
from genpulse.provider.http import Reply

_KINDS = ("text-to-image",)
_PNG = b"\x89PNG\r\n\x1a\n"


class Number(Input):
    """Which of the suite's tasks it is: the vendor's behaviour depends on it."""

    number: int


def order_of(call: Call[Number], shape: str) -> dict[str, str | int]:
    """What the vendor is told of an order."""
    return {
        "number": call.input.number,
        "task": str(call.task_id),
        "reference": call.client_reference,
        "shape": shape,
    }


class Blind(TwoPhase[Number]):
    """Jobs that nobody can look up."""

    shape = "chaos/blind"
    can_cancel = True
    answer_s = 4.0
    collect_s = 30.0
    poll_interval = PollInterval(0.3, 1.5, 2.0)

    def __init__(self, account: Account) -> None:
        self._account = account

    async def submit(self, call: Call[Number]) -> Submission:
        reply = await self._account.order("/jobs", json=dict(order_of(call, self.shape)))
        return Submission(str(reply.document()["id"]))

    async def poll(self, job: Job[Number]) -> Progress:
        answer = (await self._account.ask("GET", f"/jobs/{job.id}")).document()
        if answer["status"] == "failed":
            return Progress(failed=self._failed(str(answer["reason"])))
        return Progress(float(str(answer["progress"])), done=answer["status"] == "done")

    async def collect(self, job: Job[Number]) -> Result:
        answer = (await self._account.ask("GET", f"/jobs/{job.id}/result")).document()
        return Result((Output(self._account.fetch_own(str(answer["path"]))),), cost=self._cost(answer))

    async def cancel(self, job: Job[Number]) -> None:
        await self._account.ask("DELETE", f"/jobs/{job.id}")

    def _failed(self, reason: str) -> ProviderError:
        return ProviderRejected(reason)

    def _cost(self, answer: Mapping[str, Any]) -> Cost | None:
        """What the vendor says of the cost: nothing."""
        return None


class Findable(Blind):
    """Jobs that the vendor finds by the reference that they were submitted with."""

    shape = "chaos/findable"
    can_find = True

    async def find(self, call: Call[Number]) -> Submission | None:
        found = (await self._account.ask("GET", "/jobs", query={"reference": call.client_reference})).document()
        return Submission(str(found["id"])) if found["id"] else None


class Narrow(Findable):
    """The same on an account with few seats, whose jobs are short."""

    shape = "narrow/findable"
    poll_interval = PollInterval(0.1, 1.2, 0.3)


class Pictures(Immediate[Number]):
    """Requests that answer with the output."""

    shape = "chaos/immediate"
    answer_s = 8.0

    def __init__(self, account: Account) -> None:
        self._account = account

    async def generate(self, call: Call[Number]) -> Result:
        return self._result(await self._account.order("/pictures", json=dict(order_of(call, self.shape))))

    def _result(self, reply: Reply) -> Result:
        return Result((Output(reply.body),))


class Here(Local[Number]):
    """Work that is done in the worker and costs nothing."""

    async def run(self, call: Call[Number], report: Report) -> Result:
        steps = random.Random(call.input.number).choice((1, 1, 3, 12))
        for step in range(steps):
            report(step / steps)
            await asyncio.sleep(0.1)
        return Result((Output(_PNG + f"made for task {call.input.number}\n".encode() * 20),))


def provider(settings: ProviderSettings) -> Provider:
    account = account_of(settings)
    models = (
        Model("blind", _KINDS, Number, Blind(account)),
        Model("findable", _KINDS, Number, Findable(account)),
        Model("immediate", _KINDS, Number, Pictures(account)),
        Model("local", _KINDS, Number, Here()),
    )
    return Provider("chaos", models, paid=True)


def narrow(settings: ProviderSettings) -> Provider:
    model = Model("findable", _KINDS, Number, Narrow(account_of(settings)))
    return Provider("narrow", (model,), paid=True)


def account_of(settings: ProviderSettings) -> Account:
    """By the vendor's contract 429 and 503 are said before an order is taken."""
    return Account(settings.http, settings.base_url or "http://127.0.0.1:1", early=frozenset({429, 503}))
