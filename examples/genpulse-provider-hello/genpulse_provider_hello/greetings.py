"""A greeting at the vendor, from the request to the picture."""

import hashlib
import hmac
import time
from typing import Literal

from pydantic import Field

from genpulse.domain.json.value import JsonValue
from genpulse.provider import (
    AuthenticationFailed,
    Call,
    Charged,
    Input,
    InvalidInput,
    Job,
    ModerationBlocked,
    Notice,
    Output,
    OutputUnavailable,
    PollInterval,
    Progress,
    ProviderError,
    ProviderRejected,
    Result,
    Submission,
    TwoPhase,
)
from genpulse.provider.account import Account
from genpulse.provider.error_words import error_in
from genpulse.provider.http import AnswerUnusable, Reply
from genpulse.provider.job_id import in_path, taken_as
from genpulse.provider.reported import reported
from genpulse.provider.status_words import Standing, StatusWords, shown

NOTICE_AGE_S = 300.0
"""How old a notice may be, in seconds."""
WORDS = StatusWords(
    done=frozenset({"done"}), failed=frozenset({"failed"}), running=frozenset({"queued", "drawing"})
)
"""What the vendor calls the standing of a greeting (its documentation)."""


class Greeting(Input):
    """What the caller may say. Whatever is not named here is refused before anything is queued."""

    prompt: str = Field(title="Who is greeted", min_length=1, max_length=200)
    tone: Literal["warm", "formal"] = "warm"


class Greetings(TwoPhase[Greeting]):
    """Jobs that can be looked up by our own reference, stopped, and told about."""

    can_cancel = True
    can_find = True
    poll_interval = PollInterval(first_s=1.0, factor=1.5, longest_s=10.0)

    def __init__(self, account: Account, webhook_secret: str) -> None:
        self._account = account
        self._webhook_secret = webhook_secret

    async def submit(self, call: Call[Greeting]) -> Submission:
        """`order` is sent once: it may cost money, so that nothing may repeat it."""
        body: dict[str, JsonValue] = {
            "name": call.input.prompt,
            "tone": call.input.tone,
            "reference": call.client_reference,
        }
        if call.callback_url:
            body["callback"] = call.callback_url
        reply = await self._account.order("/v1/greetings", json=body)
        return Submission(taken_as(reply.document().get("id"), reply.excerpt()))

    async def find(self, call: Call[Greeting]) -> Submission | None:
        """Asked after a lost answer; None has to mean that the vendor never took it."""
        query = {"reference": call.client_reference}
        reply = await self._account.ask("GET", "/v1/greetings", query=query)
        found = reply.document().get("greetings")
        if not isinstance(found, list) or (found and not isinstance(found[0], dict)):
            raise AnswerUnusable(f"The vendor's answer is no list of greetings: {reply.excerpt()}")
        ids = [greeting.get("id") for greeting in found if isinstance(greeting, dict)]
        return Submission(taken_as(ids[0], reply.excerpt())) if ids else None

    async def poll(self, job: Job[Greeting]) -> Progress:
        """Words are compared in any spelling. One that nobody knows is no end: it is asked again, and shown."""
        greeting = await self._greeting(job)
        match WORDS.standing(word := greeting.get("status")):
            case Standing.DONE:
                return Progress(1.0, done=True)
            case Standing.FAILED | Standing.CANCELED:
                return Progress(failed=_failure(greeting.get("error")))
            case Standing.ODD:
                return Progress(odd=shown(word))
        percent = greeting.get("percent")
        return Progress(percent / 100 if isinstance(percent, int | float) else None, shown(word))

    async def collect(self, job: Job[Greeting]) -> Result:
        """The picture is streamed into our own storage; its address may be gone tomorrow.

        An error may come with a good status, too. The key goes along only below `result_paths` of the account: who
        named the address may be a stranger.
        """
        greeting = await self._greeting(job)
        if error_in(greeting):
            raise reported(greeting)
        url = greeting.get("url")
        if not isinstance(url, str):
            raise OutputUnavailable("The greeting is done, and it has no picture.", charged=Charged.YES)
        return Result((Output(self._account.fetch_public(url)),))

    async def cancel(self, job: Job[Greeting]) -> None:
        """What is drawn already is paid for; what waits is not."""
        await self._account.ask("DELETE", f"/v1/greetings/{in_path(job.id)}")

    async def heeds(self, notice: Notice) -> bool:
        """Signed: HMAC-SHA256 of time and body. All that a notice does is to have the job polled at once."""
        sent_at, signature = notice.headers.get("x-hello-time", ""), notice.headers.get("x-hello-signature", "")
        expected = hmac.new(self._webhook_secret.encode(), sent_at.encode() + notice.body, hashlib.sha256)
        if not self._webhook_secret or not hmac.compare_digest(expected.hexdigest(), signature):
            return False
        return sent_at.isdigit() and abs(time.time() - int(sent_at)) <= NOTICE_AGE_S

    async def _greeting(self, job: Job[Greeting]) -> dict[str, JsonValue]:
        return dict((await self._account.ask("GET", f"/v1/greetings/{in_path(job.id)}")).document())


def explain(reply: Reply) -> ProviderError | None:
    """What the vendor's refusals mean where the status alone does not tell, as 402 and 429 do."""
    if reply.status == 401:
        return AuthenticationFailed(
            f"The vendor does not take the key ({reply.excerpt()}). Set GENPULSE_PROVIDERS__HELLO__API_KEY."
        )
    if reply.status not in {400, 422}:
        return None
    error = reply.document().get("error")
    if isinstance(error, dict) and error.get("kind") == "moderation":
        return ModerationBlocked(f"{error.get('message')}")
    return InvalidInput(f"The vendor does not take the input: {error}")


def _failure(error: JsonValue) -> ProviderError:
    return ProviderRejected(f"The greeting could not be drawn: {error}", charged=Charged.MAYBE)
