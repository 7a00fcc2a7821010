"""The providers of the money suite: ordinary plug-ins for the shops in `tests/chaos/money/shops.py`.

Each has one model with a price of its own. What a shop says of the cost is passed on as it is.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from genpulse.provider import (
    Call,
    Charged,
    Cost,
    Engine,
    Immediate,
    Input,
    Job,
    Model,
    Output,
    PollInterval,
    Progress,
    Provider,
    ProviderError,
    ProviderRejected,
    ProviderSettings,
    ProviderUnavailable,
    Result,
    Submission,
    TwoPhase,
)
from genpulse.provider.account import Account

_UNIT_USD = {"alpha": Decimal("0.04"), "beta": Decimal("0.07"), "gamma": Decimal("0.025")}


class Number(Input):
    """Which of the suite's tasks it is: how many pictures it is for follows from it."""

    number: int


def _order(call: Call[Number]) -> dict[str, str | int]:
    return {
        "number": call.input.number,
        "task": str(call.task_id),
        "reference": call.client_reference,
    }


def _failed(reason: str) -> ProviderError:
    """By the shops' contract what is spoiled is charged, and what there is no room for is not."""
    if reason == "overloaded":
        return ProviderUnavailable(reason)
    return ProviderRejected(reason, charged=Charged.YES if reason == "spoiled" else Charged.NO)


def _cost(amount: str, currency: str) -> Cost:
    return Cost(Decimal(amount), currency=currency)


class Blind(TwoPhase[Number]):
    """Jobs that nobody can look up."""

    can_cancel = True
    answer_s = 8.0
    collect_s = 30.0
    poll_interval = PollInterval(0.3, 1.5, 2.0)

    def __init__(self, account: Account) -> None:
        self._account = account

    async def submit(self, call: Call[Number]) -> Submission:
        reply = await self._account.order("/jobs", json=dict(_order(call)))
        return Submission(str(reply.document()["id"]))

    async def poll(self, job: Job[Number]) -> Progress:
        answer = (await self._account.ask("GET", f"/jobs/{job.id}")).document()
        if answer["status"] == "failed":
            return Progress(failed=_failed(str(answer["reason"])))
        return Progress(done=answer["status"] == "done")

    async def collect(self, job: Job[Number]) -> Result:
        answer = (await self._account.ask("GET", f"/jobs/{job.id}/result")).document()
        said: Any = answer["cost"]
        output = Output(self._account.fetch_own(str(answer["path"])))
        return Result((output,), cost=_cost(*said) if said else None)

    async def cancel(self, job: Job[Number]) -> None:
        await self._account.ask("DELETE", f"/jobs/{job.id}")


class Findable(Blind):
    """Jobs that the shop finds by the reference that they were submitted with."""

    can_find = True
    longest_s = 4.0

    async def find(self, call: Call[Number]) -> Submission | None:
        found = (await self._account.ask("GET", "/jobs", query={"reference": call.client_reference})).document()
        return Submission(str(found["id"])) if found["id"] else None


class Pictures(Immediate[Number]):
    """Requests that answer with the picture."""

    answer_s = 12.0

    def __init__(self, account: Account) -> None:
        self._account = account

    async def generate(self, call: Call[Number]) -> Result:
        reply = await self._account.order("/pictures", json=dict(_order(call)))
        if not reply.body.startswith(b"\x89PNG"):
            raise _failed(str(reply.document()["reason"]))
        said = reply.headers.get("x-cost")
        cost = _cost(said, reply.headers["x-currency"]) if said else None
        return Result((Output(reply.body),), cost=cost)


def _provider(name: str, make: Callable[[Account], Engine[Number]], settings: ProviderSettings) -> Provider:
    """By the shops' contract 429 and 503 are said before an order is taken."""
    url = settings.base_url or "http://127.0.0.1:1"
    engine = make(Account(settings.http, url, early=frozenset({429, 503})))

    def price_usd(wanted: Number) -> Decimal:
        return _UNIT_USD[name] * (1 + wanted.number % 3)

    model = Model("picture", ("text-to-image",), Number, engine, price=price_usd)
    return Provider(name, (model,), paid=True)


def alpha(settings: ProviderSettings) -> Provider:
    return _provider("alpha", Findable, settings)


def beta(settings: ProviderSettings) -> Provider:
    return _provider("beta", Blind, settings)


def gamma(settings: ProviderSettings) -> Provider:
    return _provider("gamma", Pictures, settings)
