"""The provider of the bench: an ordinary plug-in whose jobs are polled every 2 seconds, growing to 10.

Its other models do nothing, for nothing and for a cent.
"""

from decimal import Decimal

from genpulse.provider import (
    Call,
    Input,
    Job,
    Local,
    Model,
    Output,
    PollInterval,
    Progress,
    Provider,
    ProviderSettings,
    Report,
    Result,
    Submission,
    TwoPhase,
)
from genpulse.provider.account import Account


class Jobs(TwoPhase[Input]):
    """Jobs of the stub."""

    poll_interval = PollInterval(2.0, 1.3, 10.0)

    def __init__(self, account: Account) -> None:
        self._account = account

    async def submit(self, call: Call[Input]) -> Submission:
        answer = await self._account.order("/jobs", json={"reference": call.client_reference})
        return Submission(str(answer.document()["id"]))

    async def poll(self, job: Job[Input]) -> Progress:
        answer = (await self._account.ask("GET", f"/jobs/{job.id}")).document()
        return Progress(done=answer["status"] == "done")

    async def collect(self, job: Job[Input]) -> Result:
        return Result((Output(f"the output of {job.id}".encode()),))


class Nothing(Local[Input]):
    """Does nothing."""

    async def run(self, call: Call[Input], report: Report) -> Result:  # noqa: ARG002 - nothing needs neither
        return Result()


def provider(settings: ProviderSettings) -> Provider:
    account = Account(settings.http, settings.base_url or "http://127.0.0.1:1")
    kinds = ("text-to-text",)
    return Provider(
        "bench",
        (
            Model("jobs", kinds, Input, Jobs(account)),
            Model("free", kinds, Input, Nothing()),
            Model("priced", kinds, Input, Nothing(), price=lambda _: Decimal("0.01")),
        ),
    )
