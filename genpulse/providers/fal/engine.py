"""A request in fal's queue.

Paths, status words and bodies: read in the source of the packages `fal-client` 1.0.3 and `@fal-ai/client` 1.10.1
(certain), and so is the rule that a request is asked for under `owner/app` without the path behind it. A request
that failed is COMPLETED and tells so where its result is fetched. No reference of ours is taken (fal's
documentation): a lost answer stays unknown.
"""

import base64
import logging
import re

from genpulse.domain.json_value import JsonValue
from genpulse.freeform import FreeInput, outputs_of, with_files
from genpulse.provider import (
    Call,
    Charged,
    InvalidInput,
    Job,
    Notice,
    Progress,
    ProviderError,
    ProviderRejected,
    Result,
    Submission,
    TwoPhase,
)
from genpulse.providers.fal.notices import Verifier
from genpulse.vendor import Account
from genpulse.wire import AnswerLost, Reply

INLINE_BYTES = 16 << 20
"""How large a file may be that is sent inside the input."""
_NAMESPACES = frozenset({"workflows", "comfy"})

_log = logging.getLogger(__name__)


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
        wanted = await with_files(call.input.document(), lambda reference: _inline(call, reference))
        query = {"fal_webhook": call.callback_url} if call.callback_url else {}
        taken = await self._account.order(f"/{self._app}", json=wanted, query=query)
        request_id = taken.document().get("request_id")
        if not isinstance(request_id, str) or not re.fullmatch(r"[\w-]+", request_id):
            raise AnswerLost(f"fal's answer names no request: {taken.excerpt()}")
        return Submission(request_id)

    async def poll(self, job: Job[FreeInput]) -> Progress:
        """Where it stands. fal tells no fraction, but the place in the queue and the last line of the log."""
        status = (await self._account.ask("GET", self._path(job, "/status"), query={"logs": "1"})).document()
        match status.get("status"):
            case "COMPLETED":
                return Progress(1.0, done=True)
            case "IN_QUEUE":
                return Progress(message=f"{status.get('queue_position')} before it in fal's queue")
            case word:
                if word != "IN_PROGRESS":
                    _log.warning("fal says %r about a request, which is taken for going on", word)
                return Progress(message=_last_line(status.get("logs")))

    async def collect(self, job: Job[FreeInput]) -> Result:
        """Every file of the result. A request that failed is refused here."""
        reply = await self._account.ask("GET", self._path(job), of_job=self._failed)
        return Result(outputs_of(reply.json(), self._account.fetch_public))

    async def cancel(self, job: Job[FreeInput]) -> None:
        """Ask for the end of the request."""
        await self._account.ask("PUT", self._path(job, "/cancel"))

    async def heeds(self, notice: Notice) -> bool:
        """fal signs with Ed25519."""
        return await self._verifier.accepts(notice)

    def _failed(self, reply: Reply) -> ProviderError | None:
        """What the app says of its own failure, which stays, in place of one of fal, which passes."""
        kind = reply.headers.get("x-fal-error-type")
        if reply.status >= 500 and kind is not None:
            return ProviderRejected(f"The app failed ({kind}): {reply.excerpt()}", charged=Charged.MAYBE)
        error = self._account.explain(reply) if reply.status in {400, 422} else None
        if error is not None:
            error.charged = Charged.MAYBE
        return error

    def _path(self, job: Job[FreeInput], what: str = "") -> str:
        return f"/{self._queue}/requests/{job.id}{what}"


async def _inline(call: Call[FreeInput], reference: str) -> str:
    file = await call.attachments.fetch(reference)
    if file.size > INLINE_BYTES:
        raise InvalidInput(
            f"{reference} has {file.size:,} bytes; fal takes at most {INLINE_BYTES:,} inside the input. Put it"
            " where fal can fetch it, and give the https URL."
        )
    return f"data:{file.media_type};base64,{base64.b64encode(file.path.read_bytes()).decode()}"


def _last_line(logs: JsonValue) -> str | None:
    if not isinstance(logs, list) or not logs or not isinstance(logs[-1], dict):
        return None
    return str(logs[-1].get("message", ""))[:200]
