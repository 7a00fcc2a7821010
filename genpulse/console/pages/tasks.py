"""The list of tasks, with the filters of the API in the query string."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from fastapi.exceptions import RequestValidationError
from starlette.datastructures import QueryParams
from starlette.responses import Response

from genpulse.api.auth.key_filter import NoSuchKey, owners_meant
from genpulse.api.errors import InsufficientScope
from genpulse.api.requests import task_filter
from genpulse.api.requests.page_cursor import decode, encode
from genpulse.api.schemas.tasks.filter import TaskListDocument
from genpulse.console import rendering
from genpulse.console.live import Fragments
from genpulse.console.viewer import Viewer
from genpulse.console.views import responsibility
from genpulse.console.visit import Visit
from genpulse.domain.errors import InvalidCursor
from genpulse.domain.search.looked_through import LOOKED_THROUGH
from genpulse.domain.search.task_query import TaskQuery, made_at
from genpulse.domain.task import Task
from genpulse.ports import Services

KIND = "tasks"
EVERY_S = 1.0
PAGE = 50
_FIELDS = ("status", "kind", "provider", "model", "key", "code", "who", "text", "created_after", "created_before")
"""The fields of the form; what else the API takes may stand in the address, too."""
_OURS = frozenset({"said", "limit"})


@dataclass(frozen=True, slots=True)
class TaskListing:
    """What the query string asks for. `parameters` are those that count, `ignored` says of others why not."""

    parameters: Sequence[tuple[str, str]]
    query: TaskQuery
    ignored: Sequence[str]

    def value(self, name: str) -> str:
        """The value of a field in the form."""
        return next((value for field, value in self.parameters if field == name), "")

    @property
    def filter(self) -> str:
        """The query string of the filter alone."""
        return str(QueryParams([(name, value) for name, value in self.parameters if name != "cursor"]))

    @property
    def is_narrow(self) -> bool:
        """Whether any task is left out."""
        return bool(self.filter)

    @property
    def may_leave_out_what_waits(self) -> bool:
        """Whether words are looked for in what waits as well, which is in no index of them."""
        return bool(self.query.filter.texts) and not self.query.filter.statuses

    @property
    def is_first(self) -> bool:
        """Whether it is the first page."""
        return self.query.before is None

    @property
    def metadata(self) -> str:
        """The first condition of the metadata, as a person types it."""
        for name, value in self.parameters:
            if name.startswith(task_filter.METADATA):
                return f"{name.removeprefix(task_filter.METADATA)}={value}"
        return ""


@dataclass(frozen=True, slots=True)
class ListedTasks:
    """A page of them. Where it may go on and is not full, so many were `looked_through`, `back_to` then."""

    tasks: Sequence[Task]
    next_cursor: str = ""
    looked_through: int = 0
    back_to: datetime | None = None


async def show(visit: Visit) -> Response:
    """The page."""
    services = visit.services
    listing = await read(services, visit.viewer, visit.request.query_params)
    parts, keys = await asyncio.gather(
        fragments(services, visit.viewer, listing), _key_names(services, visit.viewer)
    )
    live = f"/live/tasks?{listing.filter}" if listing.is_first else ""
    return visit.page(
        "tasks.html",
        "Tasks",
        live=live,
        listing=listing,
        parts=parts,
        providers=services.catalogue.providers(),
        models=[model_id for model_id, _ in services.catalogue.models()],
        keys=keys,
    )


async def fragments(services: Services, viewer: Viewer, listing: TaskListing) -> Fragments:
    """The rows of the page."""
    listed, keys = await asyncio.gather(look(services, listing, PAGE), _key_names(services, viewer))
    html = rendering.render("tasks/rows.html", viewer=viewer, listing=listing, listed=listed, keys=keys)
    return {"rows": html}


async def look(services: Services, listing: TaskListing, size: int) -> ListedTasks:
    """A page of so many tasks. Raises `DatabaseUnavailable`."""
    page = await services.store.look(replace(listing.query, limit=size + 1), LOOKED_THROUGH)
    if len(page.matches) > size:
        shown = page.matches[:size]
        return ListedTasks(shown, encode(shown[-1].id, listing.query))
    if page.back_to is None:
        return ListedTasks(page.matches)
    return ListedTasks(page.matches, encode(page.back_to, listing.query), LOOKED_THROUGH, made_at(page.back_to))


async def read(services: Services, viewer: Viewer, parameters: QueryParams) -> TaskListing:
    """What is asked for: what makes no sense is left out, and named. Raises `DatabaseUnavailable`."""
    pairs, ignored = _typed(parameters), list[str]()
    if fault := responsibility.fault_of(pairs):
        ignored.append(f"{responsibility.FIELD}: {fault}")
        pairs = [pair for pair in pairs if pair[0] != responsibility.FIELD]
    while True:
        try:
            document = task_filter.read(QueryParams(responsibility.as_codes(pairs)))
            owners = await owners_meant(services.keys, viewer.caller, document.key)
            break
        except RequestValidationError as error:
            names = {str(fault["loc"][-1]): str(fault["msg"]) for fault in error.errors()}
        except (NoSuchKey, InsufficientScope) as error:
            names = {"key": str(error)}
        ignored += [f"{name}: {message}" for name, message in names.items()]
        left = [(name, value) for name, value in pairs if name not in names]
        pairs = left if len(left) < len(pairs) else []
    query = TaskQuery(PAGE, filter=document.filter(owners))
    try:
        return TaskListing(pairs, _after(query, document), ignored)
    except InvalidCursor:
        message = "This page belongs to another filter, so the first one is shown."
        return TaskListing([pair for pair in pairs if pair[0] != "cursor"], query, [*ignored, message])


def _after(query: TaskQuery, document: TaskListDocument) -> TaskQuery:
    return replace(query, before=decode(document.cursor, query)) if document.cursor else query


def _typed(parameters: QueryParams) -> list[tuple[str, str]]:
    """As a form sends it: empty fields are none, and metadata is typed as `name=value`."""
    typed: list[tuple[str, str]] = []
    for name, value in parameters.multi_items():
        key, is_pair, wanted = value.partition("=")
        if name == "metadata" and is_pair:
            typed.append((f"{task_filter.METADATA}{key.strip()}", wanted.strip()))
        elif name not in _OURS and value.strip():
            typed.append((name, value.strip() if name in _FIELDS else value))
    return typed


async def _key_names(services: Services, viewer: Viewer) -> Mapping[str, str]:
    """The names of the keys by their ids, for viewers who see all."""
    if not viewer.sees_all:
        return {}
    return {str(key.id): key.name for key in await services.keys.all()}
