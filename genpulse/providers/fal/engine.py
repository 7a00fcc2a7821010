"""A request in fal's queue.

Paths, status words and bodies: read in the source of the packages `fal-client` 1.0.3 and `@fal-ai/client` 1.10.1
(certain), and so is the rule that a request is asked for under `owner/app` without the path behind it. A request
that failed is COMPLETED and tells so where its result is fetched. No reference of ours is taken (fal's
documentation): a lost answer stays unknown.
"""

import base64

from genpulse.domain.json.value import JsonObject, JsonValue
from genpulse.provider import (
    Call,
    Callback,
    Charged,
    InvalidInput,
    Job,
    OutputUnavailable,
    Progress,
    ProviderRejected,
    QuestionRefused,
    Result,
    Submission,
    TwoPhase,
)
from genpulse.provider.account import Account
from genpulse.provider.http import AnswerUnusable, Reply
from genpulse.provider.job_id import in_path
from genpulse.provider.passthrough import FreeInput, result_of, with_files
from genpulse.provider.reported import ordered_as, without_status
from genpulse.provider.status_words import FIELD, Standing, shown
from genpulse.providers.fal.files import rule_for
from genpulse.providers.fal.notices import Verifier
from genpulse.providers.fal.refusals import failed_app, failed_request

INLINE_BYTES = 16 << 20
"""How large a file may be that is sent inside the input."""
WORDS = FIELD
"""`IN_QUEUE`, `IN_PROGRESS` and `COMPLETED` are fal's own; the others stand for what it may say one day."""
_NAMESPACES = frozenset({"workflows", "comfy"})


class Requests(TwoPhase[FreeInput]):
    """One app. `app` is `owner/app`, perhaps with a path."""

    can_cancel = True

    def __init__(self, account: Account, verifier: Verifier, app: str) -> None:
        self._account = account
        self._verifier = verifier
        self._app = app
        parts = app.split("/")
        self._queue = "/".join(parts[:3] if parts[0] in _NAMESPACES else parts[:2])

    async def submit(self, call: Call[FreeInput]) -> Submission:
        """Put the request into the queue."""
        document = await with_files(
            call.input.document(), lambda reference: _inline(call, reference), call.attachments.keeps
        )
        query = {"fal_webhook": call.callback_url} if call.callback_url else {}
        reply = await self._account.order(f"/{self._app}", json=document, query=query)
        return Submission(ordered_as(reply, "request_id"))

    async def poll(self, job: Job[FreeInput]) -> Progress:
        """Poll the request. fal tells no fraction, but the place in the queue and the last line of the log."""
        status = await self._status(job)
        word = status.get("status")
        match WORDS.standing(word):
            case Standing.DONE:
                return Progress(1.0, done=True)
            case Standing.FAILED | Standing.CANCELED:
                message = f"fal says {shown(word)} of the request, and not why."
                return Progress(failed=failed_request(status) or ProviderRejected(message, charged=Charged.MAYBE))
            case Standing.RUNNING:
                return Progress(message=_place(status) or _last_line(status.get("logs")))
        if word is None:
            raise without_status(status)
        return Progress(message=_last_line(status.get("logs")), odd=shown(word))

    async def collect(self, job: Job[FreeInput]) -> Result:
        """Every file of the result. A request that failed is refused here, or tells so in its status."""
        try:
            reply = await self._account.ask("GET", self._path(job), of_job=failed_app)
            is_file = rule_for(job.call.input.document())
            return result_of(_finished(reply), self._account.fetch_public, is_file)
        except (QuestionRefused, OutputUnavailable) as error:
            is_missing = isinstance(error, QuestionRefused) and error.missing
            if not is_missing and (failure := failed_request(await self._status(job))):
                raise failure from error
            raise

    async def cancel(self, job: Job[FreeInput]) -> None:
        """Ask for the end of the request."""
        await self._account.ask("PUT", self._path(job, "/cancel"))

    async def is_authentic(self, callback: Callback) -> bool:
        """fal signs with Ed25519."""
        return await self._verifier.accepts(callback)

    async def _status(self, job: Job[FreeInput]) -> JsonObject:
        return (await self._account.ask("GET", self._path(job, "/status"), query={"logs": "1"})).document()

    def _path(self, job: Job[FreeInput], what: str = "") -> str:
        return f"/{self._queue}/requests/{in_path(job.id)}{what}"


async def _inline(call: Call[FreeInput], reference: str) -> str:
    file = await call.attachments.fetch(reference)
    if file.size > INLINE_BYTES:
        if reference.startswith("https://"):
            return reference
        raise InvalidInput(
            f"{reference} has {file.size:,} bytes; fal takes at most {INLINE_BYTES:,} inside the input. Put it"
            " where fal can fetch it, and give the https URL."
        )
    return f"data:{file.media_type};base64,{base64.b64encode(file.path.read_bytes()).decode()}"


def _finished(reply: Reply) -> JsonValue:
    """The result. Raises `AnswerUnusable` for the status of a request in its place."""
    result = reply.json()
    if (
        isinstance(result, dict)
        and WORDS.standing(result.get("status")) is Standing.RUNNING
        and "request_id" in result
    ):
        raise AnswerUnusable(f"fal has no result yet: {reply.excerpt()}")
    return result


def _place(status: JsonObject) -> str | None:
    place = status.get("queue_position")
    return f"{place} before it in fal's queue" if isinstance(place, int) and not isinstance(place, bool) else None


def _last_line(logs: JsonValue) -> str | None:
    last = logs[-1] if isinstance(logs, list) and logs else None
    message = last.get("message") if isinstance(last, dict) else last
    return message[:200] if isinstance(message, str) and message else None
