"""One action on all tasks that fit a filter."""

from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from genpulse.api.auth.action_tokens import LASTS_S, ActionSigner, ActionToken
from genpulse.api.auth.key_filter import NoSuchKey, owners_meant
from genpulse.api.context import Context, caller_of, context_in
from genpulse.api.requests import json_body
from genpulse.api.responses import encoded
from genpulse.api.routes.tasks.tasks import ACTIONS, TASKS_PATH
from genpulse.api.schemas.tasks.actions import TaskActionDocument, TaskActionOutcome
from genpulse.domain.errors import BadInput, Problem
from genpulse.domain.keys.caller import Caller
from genpulse.domain.search.task_query import TaskFilter
from genpulse.lifecycle import bulk_actions
from genpulse.lifecycle.bulk_actions import Selection

routes = encoded.router("tasks")


@routes.post(
    f"{TASKS_PATH}/{ACTIONS}",
    summary="Cancel, retry or delete many tasks",
    responses=encoded.described(200, "What would be done, or what was done", TaskActionOutcome)
    | encoded.refusals(400, 409, 413, 415, 422),
    openapi_extra={"requestBody": encoded.taken(TaskActionDocument)},
)
async def act_on_tasks(request: Request) -> Response:
    """Do one thing with all tasks that fit a filter. The first answer counts, and does nothing.

    It says how many there are and how they stand, what running them again costs at most, what they cost already,
    and how many are left out for which reason. The same body with the `confirm` of that answer does it: with tasks
    that came before the count, by the same caller, within 15 minutes. A call does so for some seconds; what is
    left then is done by the same body with the `confirm` of its answer, until that is null. A token that is sent
    again does no harm.
    """
    asked = await _asked(request, await json_body.read(request, TaskActionDocument))
    return encoded.json(
        await (asked.count() if asked.document.confirm is None else asked.act(asked.document.confirm))
    )


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked for, by whom, of which tasks; a token is `good_for` that alone."""

    context: Context
    caller: Caller
    document: TaskActionDocument
    task_filter: TaskFilter
    signer: ActionSigner
    good_for: bytes

    async def count(self) -> TaskActionOutcome:
        """What would be done."""
        as_of = await self.context.services.store.now()
        counted = await bulk_actions.count(self.context.services, self._selection(as_of))
        confirm = self._token(as_of) if counted.total else None
        return TaskActionOutcome.counted(self.document.action, counted, confirm)

    async def act(self, confirm: str) -> TaskActionOutcome:
        """Do it, for some seconds. Raises `InvalidConfirm`, `ConfirmExpired`."""
        token = self.signer.read(confirm, self.good_for, self._now_s())
        until = monotonic() + self.context.options.longest_wait_s / 2
        progress = await bulk_actions.act(
            self.context.services,
            self._selection(token.as_of),
            token.before,
            caller=self.caller,
            goes_on=lambda: monotonic() < until and not self.context.stopping.is_set(),
        )
        more = self._token(token.as_of, progress.next_before) if progress.next_before else None
        return TaskActionOutcome.after(self.document.action, progress, more)

    def _selection(self, as_of: datetime) -> Selection:
        return Selection(self.document.action, self.task_filter, as_of)

    def _token(self, as_of: datetime, before: UUID | None = None) -> str:
        return self.signer.write(ActionToken(as_of, int(self._now_s()) + LASTS_S, before), self.good_for)

    def _now_s(self) -> float:
        return self.context.services.now().timestamp()


async def _asked(request: Request, document: TaskActionDocument) -> _Asked:
    """Raises `BadInput`, `InsufficientScope`, `DatabaseUnavailable`."""
    context, caller = context_in(request.scope), caller_of(request)
    task_filter = await _wanted(context, caller, document)
    good_for = repr((caller.owner, document.action.value, document.all, task_filter)).encode()
    signer = ActionSigner(await context.services.keys.signing_secret())
    return _Asked(context, caller, document, task_filter, signer, good_for)


async def _wanted(context: Context, caller: Caller, document: TaskActionDocument) -> TaskFilter:
    if document.filter.is_empty and not document.all:
        said = 'Every task fits this filter. Say which ones are meant, or that all are: `"all": true`'
        raise BadInput("The filter leaves nothing out.", (Problem("/filter", said),))
    try:
        owners = await owners_meant(context.services.keys, caller, document.filter.key)
    except NoSuchKey as error:
        raise BadInput("The filter names no API key.", (Problem("/filter/key", str(error)),)) from None
    return document.filter.filter(owners)
