"""The list of tasks, newest first, a page at a time."""

from dataclasses import replace
from typing import Annotated

from fastapi import Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError
from starlette.requests import Request
from starlette.responses import Response

from genpulse.api.context import caller_of, context_in, links_for
from genpulse.api.requests.page_cursor import decode, encode
from genpulse.api.requests.query_parameters import refuse_doubled
from genpulse.api.responses import encoded
from genpulse.api.routes.tasks import TASKS_PATH
from genpulse.api.schemas.documents import TaskDocument, TaskPage
from genpulse.domain.failure import FailureCode
from genpulse.domain.kind import FORM, is_kind
from genpulse.domain.task import Task, TaskQuery, TaskStatus
from genpulse.domain.text.id_prefix import PATTERN, ids_beginning_with
from genpulse.ports import TaskStore

routes = encoded.router("tasks")


def _kind(word: str) -> str:
    if not is_kind(word):
        raise PydanticCustomError("kind", "Input should be a kind such as text-to-image")
    return word


KindWord = Annotated[
    str,
    StringConstraints(max_length=64),
    AfterValidator(_kind),
    Field(json_schema_extra={"pattern": f"^{FORM}$"}),
]


def _id_prefix(word: str) -> str:
    if ids_beginning_with(word) is None:
        raise PydanticCustomError(
            "id_prefix", "Input should be the beginning of an id, in small letters, such as 0193a1b2-c3d4"
        )
    return word


IdPrefix = Annotated[
    str,
    StringConstraints(max_length=36),
    AfterValidator(_id_prefix),
    Field(json_schema_extra={"pattern": PATTERN}),
]


class TaskFilter(BaseModel):
    """Which tasks, and how many of them. Parameters that are not listed are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    status: TaskStatus | None = None
    kind: KindWord | None = Field(None, examples=["text-to-image"])
    provider: Annotated[str, StringConstraints(max_length=64, pattern=r"^[a-z][a-z0-9_]*$")] | None = Field(
        None, examples=["sandbox"]
    )
    code: FailureCode | None = Field(
        None, description="Only tasks that failed so", examples=["provider_unavailable"]
    )
    id_prefix: IdPrefix | None = Field(
        None, description="Only tasks whose id begins so", examples=["0193a1b2-c3d4"]
    )
    limit: Annotated[int, Field(ge=1, le=100)] = 20
    cursor: Annotated[str, StringConstraints(max_length=200)] | None = Field(
        None, description="The `next_cursor` of the page before, with the same filters; empty: the first page"
    )

    def query(self, owner: str) -> TaskQuery:
        """The same for the store. Raises `InvalidCursor`."""
        query = TaskQuery(
            limit=self.limit,
            status=self.status,
            kind=self.kind,
            provider=self.provider,
            owner=owner or None,
            code=self.code,
            ids=ids_beginning_with(self.id_prefix) if self.id_prefix else None,
        )
        return replace(query, before=decode(self.cursor, query)) if self.cursor else query


@routes.get(
    TASKS_PATH,
    summary="List tasks",
    responses=encoded.described(200, "A page of tasks, newest first", TaskPage) | encoded.refusals(400, 422),
)
async def list_tasks(request: Request, filters: Annotated[TaskFilter, Query()]) -> Response:
    """Tasks, newest first. Follow `next_cursor` until it is null."""
    refuse_doubled(request)
    store, links = context_in(request.scope).services.store, links_for(request)
    caller = caller_of(request)
    query = filters.query("" if caller.sees_all else caller.owner)
    tasks = await store.find(query)
    data = [TaskDocument.of(task, links) for task in tasks]
    return encoded.json(TaskPage(data=data, next_cursor=await _next_cursor(store, query, tasks)))


async def _next_cursor(store: TaskStore, query: TaskQuery, tasks: tuple[Task, ...]) -> str | None:
    """A cursor only where there is more, so that nobody has to fetch an empty page."""
    if len(tasks) < query.limit:
        return None
    last = tasks[-1].id
    older = await store.find(replace(query, limit=1, before=last))
    return encode(last, query) if older else None
