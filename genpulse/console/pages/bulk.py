"""Doing one thing with all tasks of a filter: first how many and for how much, then doing it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from time import monotonic
from uuid import UUID

from starlette.datastructures import QueryParams
from starlette.responses import Response

from genpulse.api.auth.action_tokens import LASTS_S, ActionSigner, ActionToken
from genpulse.api.requests.page_cursor import encode
from genpulse.console.forms.posted_form import PageForm
from genpulse.console.pages import tasks
from genpulse.console.pages.tasks import TaskListing
from genpulse.console.visit import Visit
from genpulse.domain.errors import BadInput
from genpulse.domain.keys.api_key import Scope
from genpulse.domain.search.looked_through import LOOKED_THROUGH
from genpulse.domain.search.task_query import made_at
from genpulse.domain.task import TaskStatus
from genpulse.lifecycle import bulk_actions
from genpulse.lifecycle.bulk_actions import BulkAction, Count, Selection

_WORDS: Mapping[BulkAction, str] = {BulkAction.CANCEL: "Cancel", BulkAction.RETRY: "Run again"}
_ALL = "all"
COUNTED_BY_WORDS = 2_000


@dataclass(frozen=True, slots=True)
class _Wish:
    """What is asked for: an action on the tasks of a filter, by whoever makes this visit."""

    visit: Visit
    action: BulkAction
    listing: TaskListing
    signer: ActionSigner

    @property
    def good_for(self) -> bytes:
        """What a token of it is good for."""
        owner = self.visit.viewer.caller.owner
        return repr(("console", owner, self.action.value, self.listing.query.filter)).encode()

    def selection(self, as_of: datetime, back_to: UUID | None = None) -> Selection:
        """The tasks that are meant: those with which it can be done.

        Of millions that have ended nobody wants to know how many cannot be canceled.
        """
        return Selection(self.action, replace(self.listing.query.filter, statuses=self.statuses), as_of, back_to)

    @property
    def statuses(self) -> tuple[TaskStatus, ...]:
        """In which of the statuses that are asked for it can be done."""
        asked = self.listing.query.filter.statuses or tuple(TaskStatus)
        return tuple(one for one in asked if one in self.action.statuses)

    @property
    def counts_at_most(self) -> int:
        """Among so many tasks it is counted: of each that fits all words are read."""
        return COUNTED_BY_WORDS if self.listing.query.filter.texts else LOOKED_THROUGH

    def token(self, as_of: datetime, before: UUID | None, back_to: UUID | None) -> str:
        """By which it is confirmed."""
        expires_s = int(self.visit.services.now().timestamp()) + LASTS_S
        return self.signer.write(ActionToken(as_of, expires_s, before, back_to), self.good_for)

    def rest(self, back_to: UUID | None) -> str:
        """The address at which those are counted that are older; empty where there are none."""
        if back_to is None:
            return ""
        parameters = QueryParams(self.listing.filter).multi_items()
        parameters += [("action", self.action.value), ("cursor", encode(back_to, self.listing.query))]
        parameters += [] if self.listing.is_narrow else [(_ALL, "1")]
        return self.visit.viewer.path(f"/actions?{QueryParams(parameters)}")


async def ask(visit: Visit) -> Response:
    """The page that says how many tasks there are, and what it may cost. Raises `BadInput`."""
    visit.require(Scope.WRITE)
    parameters = visit.request.query_params
    told = [pair for pair in parameters.multi_items() if pair[0] not in {"action", _ALL}]
    wish = await _wish(visit, parameters.get("action", ""), QueryParams(told), names_all=_ALL in parameters)
    as_of = await visit.services.store.now()
    before, count = wish.listing.query.before, Count()
    if wish.statuses:
        count = await bulk_actions.count_newest(visit.services, wish.selection(as_of), before, wish.counts_at_most)
    return visit.page(
        "actions.html",
        f"{_WORDS[wish.action]} {count.total:,} tasks",
        wish=wish,
        word=_WORDS[wish.action],
        count=count,
        back_to=made_at(count.back_to) if count.back_to else None,
        rest=wish.rest(count.back_to),
        confirm=wish.token(as_of, before, count.back_to) if count.total else "",
    )


async def act(visit: Visit, form: PageForm) -> Response:
    """Do it, for some seconds; what is left is offered again.

    Raises `BadInput`, `InvalidConfirm`, `ConfirmExpired`, `DatabaseUnavailable`.
    """
    wish = await _wish(visit, form.get("action"), QueryParams(form.get("filter")), names_all=form.has(_ALL))
    if not wish.statuses:
        raise BadInput("In none of the statuses that are asked for it can be done.")
    token = wish.signer.read(form.get("confirm"), wish.good_for, visit.services.now().timestamp())
    until = monotonic() + visit.context.options.longest_wait_s / 2
    progress = await bulk_actions.act(
        visit.services,
        wish.selection(token.as_of, token.back_to),
        token.before,
        caller=visit.viewer.caller,
        goes_on=lambda: monotonic() < until and not visit.context.stopping.is_set(),
    )
    next_before = progress.next_before
    return visit.page(
        "acted.html",
        f"{_WORDS[wish.action]}: {progress.done:,} tasks",
        wish=wish,
        word=_WORDS[wish.action],
        progress=progress,
        rest="" if next_before else wish.rest(token.back_to),
        confirm=wish.token(token.as_of, next_before, token.back_to) if next_before else "",
    )


async def _wish(visit: Visit, action: str, parameters: QueryParams, *, names_all: bool) -> _Wish:
    """Raises `BadInput` for an action that there is not, and for a filter that cannot be kept to."""
    actions = {one.value: one for one in _WORDS}
    if action not in actions:
        raise BadInput(f"The console does not do this with many tasks: {action[:40]!r}.")
    listing = await tasks.read(visit.services, visit.viewer, parameters)
    if listing.ignored:
        said = "; ".join(listing.ignored)
        raise BadInput(f"Part of the filter makes no sense, and more tasks than meant would be touched: {said}")
    if not listing.is_narrow and not names_all:
        raise BadInput("Every task fits this filter. Choose a filter on the page of tasks first.")
    return _Wish(visit, actions[action], listing, ActionSigner(await visit.services.keys.signing_secret()))
