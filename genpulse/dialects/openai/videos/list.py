"""The list of videos, a page at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from starlette.requests import Request

from genpulse.api.auth.key_filter import owners_meant
from genpulse.api.context import caller_of, context_in
from genpulse.dialects.openai.refusals import CallRefused
from genpulse.dialects.openai.videos.ids import task_id_of
from genpulse.domain.errors import UnknownTask
from genpulse.domain.kind import WELL_KNOWN, is_kind, makes_media
from genpulse.domain.search.task_query import TaskFilter, TaskQuery
from genpulse.domain.task import Task
from genpulse.ports import Catalogue

_USUAL, _MOST = 20, 100
_ALL = "all"
_TAKEN = frozenset({"after", "limit", "order", "kind"})


@dataclass(frozen=True, slots=True)
class VideoPage:
    """A page, and whether there are more."""

    tasks: Sequence[Task]
    has_more: bool


async def video_page(request: Request) -> VideoPage:
    """The tasks that may make a video, whichever door they came by; `kind` names another one, or `all`.

    Raises `CallRefused`, `DatabaseUnavailable`.
    """
    query = request.query_params
    for name in query:
        if name not in _TAKEN:
            raise CallRefused(f"The list takes no {name[:40]!r}.", "unknown_parameter", field=name[:40])
    services = context_in(request.scope).services
    limit, order = _limit(query.get("limit")), query.get("order", "desc")
    if order not in {"asc", "desc"}:
        raise CallRefused("order is asc or desc.", "invalid_value", field="order")
    owners = await owners_meant(services.keys, caller_of(request), ())
    task_filter = TaskFilter(kinds=_kinds(services.catalogue, query.get("kind")), owners=owners)
    after = query.get("after")
    matches = await services.store.find(
        TaskQuery(limit + 1, _after(after) if after else None, task_filter, oldest_first=order == "asc")
    )
    return VideoPage(matches[:limit], len(matches) > limit)


def _limit(word: str | None) -> int:
    if word is None:
        return _USUAL
    if not word.isdecimal() or not 1 <= int(word[:9]) <= _MOST:
        raise CallRefused(f"limit is a whole number from 1 to {_MOST}.", "invalid_value", field="limit")
    return int(word)


def _after(word: str) -> UUID:
    try:
        return task_id_of(word)
    except UnknownTask:
        raise CallRefused("after is no id of a video.", "invalid_value", field="after") from None


def _kinds(catalogue: Catalogue, word: str | None) -> tuple[str, ...]:
    if word == _ALL:
        return ()
    if word is not None:
        if not is_kind(word[:64]):
            raise CallRefused(f"kind is a word such as text-to-video, or {_ALL}.", "invalid_value", field="kind")
        return (word,)
    known = {*WELL_KNOWN, *(kind for _, model in catalogue.models() for kind in model.kinds)}
    return tuple(sorted(kind for kind in known if kind.endswith("-video") or not makes_media(kind)))
