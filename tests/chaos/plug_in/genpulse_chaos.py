"""The provider of the chaos suite: an ordinary plug-in for the vendor in `tests/chaos/vendor.py`.

Two models whose jobs are alike, but for what the vendor can be asked: jobs of `findable` are looked up by their
reference, those of `blind` are not.
"""

from genpulse.provider import (
    Call,
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
from genpulse.vendor import Account
from genpulse.wire import Reply


class Number(Input):
    """Which of the suite's tasks it is: the vendor's behaviour depends on it."""

    number: int


class Blind(TwoPhase[Number]):
    """Jobs that nobody can look up."""

    can_cancel = True
    answer_s = 4.0
    collect_s = 30.0
    poll_interval = PollInterval(0.3, 1.5, 2.0)

    def __init__(self, account: Account) -> None:
        self._account = account

    async def submit(self, call: Call[Number]) -> Submission:
        body = {"number": call.input.number, "task": str(call.task_id), "reference": call.client_reference}
        return Submission(str((await self._account.order("/jobs", json=body)).document()["id"]))

    async def poll(self, job: Job[Number]) -> Progress:
        answer = (await self._account.ask("GET", f"/jobs/{job.id}")).document()
        if answer["status"] == "failed":
            return Progress(failed=ProviderRejected("the job failed"))
        return Progress(float(str(answer["progress"])), done=answer["status"] == "done")

    async def collect(self, job: Job[Number]) -> Result:
        return Result((Output(self._account.download(f"{self._account.base_url}/jobs/{job.id}/output")),))

    async def cancel(self, job: Job[Number]) -> None:
        await self._account.ask("DELETE", f"/jobs/{job.id}")


class Findable(Blind):
    """Jobs that the vendor finds by the reference that they were submitted with."""

    can_find = True

    async def find(self, call: Call[Number]) -> Submission | None:
        found = (await self._account.ask("GET", "/jobs", query={"reference": call.client_reference})).document()
        return Submission(str(found["id"])) if found["id"] else None


def provider(settings: ProviderSettings) -> Provider:
    account = Account(settings.http, settings.base_url or "http://127.0.0.1:1", explain=_explain)
    kinds = ("text-to-image",)
    models = Model("blind", kinds, Number, Blind(account)), Model("findable", kinds, Number, Findable(account))
    return Provider("chaos", models)


def _explain(reply: Reply) -> ProviderError | None:
    """The vendor's contract: 503 with `X-Accepted: no` was not taken."""
    if reply.status == 503 and reply.headers.get("x-accepted") == "no":
        return ProviderUnavailable("the vendor is full")
    return None
