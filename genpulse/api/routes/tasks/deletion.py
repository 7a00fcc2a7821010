"""Deleting tasks and assets for good."""

from starlette.requests import Request
from starlette.responses import Response

from genpulse.api.context import caller_of, context_in
from genpulse.api.responses import encoded
from genpulse.api.routes.assets.assets import ASSET_PATH, AssetId
from genpulse.api.routes.tasks.tasks import TASK_PATH, task_id_in
from genpulse.lifecycle.removal import deletion

routes = encoded.router("tasks")
_of_assets = encoded.router("assets")


@routes.delete(
    TASK_PATH,
    status_code=204,
    summary="Delete a task",
    response_class=Response,
    responses=encoded.described(204, "It is gone, or was deleted before") | encoded.refusals(404),
    openapi_extra={"parameters": [encoded.path_parameter("task_id", "The `id` of a task")]},
)
async def delete_task(request: Request) -> Response:
    """Delete a task with its input, attempts, messages and outputs.

    - From the answer on it is 404 and in no list, and no message about it is sent. Within a minute nothing of it
      is left, but for bytes that another asset has.
    - A task that has not ended is canceled first, also at its provider, and removed when it has ended.
    - Its uploads stay: `DELETE /v1/assets/{asset_id}` deletes each.
    - It is kept for a while that it was there, whose it was and what it has cost, and a digest of its
      `Idempotency-Key`: a submit with that key is 409 `task_deleted` as long.
    """
    caller = caller_of(request)
    services = context_in(request.scope).services
    await deletion.delete_task(services, task_id_in(request), caller.sees_owner, deleted_by=caller.owner)
    return Response(status_code=204)


@_of_assets.delete(
    ASSET_PATH,
    status_code=204,
    summary="Delete an asset",
    response_class=Response,
    responses=encoded.described(204, "It is gone, or was deleted before") | encoded.refusals(404, 409),
)
async def delete_asset(request: Request, asset_id: AssetId) -> Response:
    """Delete an upload, or one output of a task, which has a warning `output_missing` from then on.

    From the answer on it is 404. Within a minute its bytes are gone, unless another asset has the same. One that a
    task needs as an input which has not ended is 409 `asset_in_use`.
    """
    await deletion.delete_asset(context_in(request.scope).services, asset_id, caller_of(request).sees_owner)
    return Response(status_code=204)


routes.routes.extend(_of_assets.routes)
