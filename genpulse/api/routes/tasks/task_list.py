"""The list of tasks, newest first, a page at a time."""

from dataclasses import replace

from fastapi.exceptions import RequestValidationError
from starlette.requests import Request
from starlette.responses import Response

from genpulse.api.auth.key_filter import NoSuchKey, keys_shown, owners_meant
from genpulse.api.context import caller_of, context_in, links_for
from genpulse.api.requests import task_filter
from genpulse.api.requests.page_cursor import decode, encode
from genpulse.api.responses import encoded
from genpulse.api.routes.tasks.tasks import TASKS_PATH
from genpulse.api.schemas.tasks.documents import TaskDocument, TaskPage, unshown_results
from genpulse.api.schemas.tasks.filter import TaskListDocument
from genpulse.domain.search.task_query import TaskQuery

routes = encoded.router("tasks")


@routes.get(
    TASKS_PATH,
    summary="List tasks",
    responses=encoded.described(200, "A page of tasks, newest first", TaskPage) | encoded.refusals(400, 422),
    openapi_extra={"parameters": task_filter.described()},
)
async def list_tasks(request: Request) -> Response:
    """Tasks, newest first. Follow `next_cursor` until it is null.

    A parameter may be repeated: one of its values is enough. Of several parameters all have to fit.
    """
    filters = task_filter.read(request.query_params)
    query = await _query(request, filters)
    services = context_in(request.scope).services
    tasks = await services.store.find(replace(query, limit=filters.limit + 1))
    page, links = tasks[: filters.limit], links_for(request)
    keys = await keys_shown(services.keys, caller_of(request), page)
    cursor = encode(page[-1].id, query) if len(tasks) > filters.limit else None
    data = [TaskDocument.of(task, links, keys.get(task.owner)) for task in page]
    return encoded.json(TaskPage(data=data, next_cursor=cursor), leaving_out=unshown_results(page))


async def _query(request: Request, filters: TaskListDocument) -> TaskQuery:
    """Raises `InvalidCursor`, `InsufficientScope`, `RequestValidationError`."""
    keys = context_in(request.scope).services.keys
    try:
        owners = await owners_meant(keys, caller_of(request), filters.key)
    except NoSuchKey as error:
        raise RequestValidationError(
            [{"type": "unknown_key", "loc": ("query", "key"), "msg": str(error)}]
        ) from None
    query = TaskQuery(filters.limit, filter=filters.filter(owners))
    return replace(query, before=decode(filters.cursor, query)) if filters.cursor else query
