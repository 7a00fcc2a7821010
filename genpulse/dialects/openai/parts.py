"""What all calls of this door share."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from genpulse.api.context import caller_of, context_in
from genpulse.api.requests.form import FormFile
from genpulse.dialects import submission
from genpulse.dialects.held_calls import task_at_end
from genpulse.dialects.model_names import ModelNames
from genpulse.dialects.openai.calls_asked import Asked
from genpulse.dialects.openai.failures import refusal_of, still_running
from genpulse.dialects.openai.orders import Purpose, Translation
from genpulse.dialects.repeated_calls import RepeatedCalls
from genpulse.domain.assets.asset import REFERENCE
from genpulse.domain.errors import BadInput
from genpulse.domain.json.value import JsonObject
from genpulse.domain.task import Task, TaskStatus
from genpulse.lifecycle.upload import keep_spooled

WEBHOOK_HEADER = "X-GenPulse-Webhook-URL"
"""Where a client whose calls have no field for it says which address is told, once for all of them."""
_RETRY_COUNT = "x-stainless-retry-count"


@dataclass(frozen=True, slots=True)
class Ordered:
    """A task that was queued; `ignored` are fields of the call that its model has no place for."""

    task: Task
    ignored: tuple[str, ...] = ()

    @property
    def headers(self) -> dict[str, str]:
        """They say which task it is, and what was ignored."""
        ignored = {"X-GenPulse-Ignored": ", ".join(self.ignored)} if self.ignored else {}
        return {"X-GenPulse-Task": str(self.task.id), **ignored}


class Parts:
    """The names of models, the memory of calls, and for how many seconds a call is held."""

    def __init__(self, names: ModelNames, repeated: RepeatedCalls, wait_s: float) -> None:
        self.names = names
        self.wait_s = wait_s
        self._repeated = repeated

    async def answer(
        self, request: Request, body: Asked, handle: Callable[[str], Awaitable[Response]]
    ) -> Response:
        """The answer of `handle` under the idempotency key of this call."""
        count = request.headers.get(_RETRY_COUNT, "0")
        repeated = count.isdecimal() and int(count[:9]) > 0
        return await self._repeated.answer(request, body.canonical, handle, says_repeated=repeated)

    async def submit(
        self,
        request: Request,
        purpose: Purpose,
        values: JsonObject,
        files: Sequence[FormFile],
        key: str,
    ) -> "Ordered":
        """Queue the task of a call. Raises `CallRefused`, and what a submit raises, with the call's own fields."""
        services, caller = context_in(request.scope).services, caller_of(request)
        pictures = await _kept(request, files, key)
        webhook_url = request.headers.get(WEBHOOK_HEADER)
        if webhook_url is not None and values.get("webhook_url") is None:
            values = {**values, "webhook_url": webhook_url}
        translation = Translation(services, self.names, purpose, caller.usual_priority)
        translated = translation.order(
            {name: value for name, value in values.items() if name not in pictures}, pictures
        )
        try:
            submitted = await submission.submit(request, translated.order, key)
        except BadInput as error:
            raise translated.blamed(error) from error
        return Ordered(submitted.task, translated.ignored)

    async def ended(self, request: Request, task: Task) -> Task:
        """The task at its end. Raises `CallRefused` where it failed, or goes on for longer than a call is held."""
        ended = await task_at_end(request, task, self.wait_s)
        if not ended.status.ended:
            raise still_running(ended, self.wait_s)
        if ended.status is not TaskStatus.SUCCEEDED:
            raise refusal_of(ended)
        return ended


async def _kept(request: Request, files: Sequence[FormFile], key: str) -> Mapping[str, Sequence[str]]:
    """References to the files by their field. A call that is repeated finds the same assets."""
    services, owner = context_in(request.scope).services, caller_of(request).owner
    references: dict[str, list[str]] = {}
    for place, file in enumerate(files):
        asset = await keep_spooled(services, file.spooled, _asset_id(owner, key, place), owner)
        references.setdefault(file.name.removesuffix("[]"), []).append(f"{REFERENCE}{asset.id}")
    return references


def _asset_id(owner: str, key: str, place: int) -> UUID:
    """The same for the same file of the same call (a UUID of version 8, of a digest)."""
    digest = hashlib.sha256(f"file of a call\0{owner}\0{key}\0{place}".encode("utf-8", "surrogatepass")).digest()
    number = int.from_bytes(digest[:16])
    return UUID(int=number & ~(0xF << 76) & ~(0x3 << 62) | 0x8 << 76 | 0x2 << 62)
