"""Videos: tasks that clients poll."""

from functools import partial

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from genpulse.api.context import caller_of, context_in, task_for
from genpulse.api.door import DoorCall
from genpulse.api.responses.encoded import JsonResponse
from genpulse.api.routes.assets.assets import fetch_content
from genpulse.dialects.openai.calls_asked import asked_by
from genpulse.dialects.openai.failures import video_error
from genpulse.dialects.openai.orders import Purpose
from genpulse.dialects.openai.outputs import only_output
from genpulse.dialects.openai.parts import Parts
from genpulse.dialects.openai.refusals import CallRefused
from genpulse.dialects.openai.videos.documents import VideoDocument
from genpulse.dialects.openai.videos.ids import task_id_of, video_id
from genpulse.dialects.openai.videos.list import VideoPage, video_page
from genpulse.domain.assets.asset import Asset
from genpulse.domain.assets.thumbnail import ThumbnailWidth
from genpulse.domain.task import Task, TaskStatus
from genpulse.lifecycle import cancel as cancelling
from genpulse.lifecycle.removal import deletion

POLL_AFTER_MS = 500
"""The client keeps to the first one that it sees."""
_FILES = frozenset({"input_reference"})
_PURPOSE = Purpose("text-to-video", frozenset({"video"}), required=frozenset({"prompt"}), pictures=_FILES)
_NOT_HERE = (
    ("POST", "/v1/videos/{video_id}/remix", "be remixed"),
    ("POST", "/v1/videos/edits", "be edited"),
    ("POST", "/v1/videos/extensions", "be extended"),
    ("POST", "/v1/videos/characters", "have characters"),
    ("GET", "/v1/videos/characters/{character_id}", "have characters"),
)
"""Calls of OpenAI that no model here can answer, and what a video cannot."""


class Videos:
    """The calls under `/v1/videos`."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def calls(self) -> tuple[DoorCall, ...]:
        """All of them."""
        return (
            DoorCall("POST", "/v1/videos", self.create, takes_files=True),
            DoorCall("GET", "/v1/videos", self.find),
            *(DoorCall(method, path, partial(_not_here, what)) for method, path, what in _NOT_HERE),
            DoorCall("GET", "/v1/videos/{video_id}", self.show),
            DoorCall("DELETE", "/v1/videos/{video_id}", self.delete),
            DoorCall("GET", "/v1/videos/{video_id}/content", self.fetch),
        )

    async def create(self, request: Request) -> Response:
        """Order a video."""
        async with asked_by(request, files=_FILES) as body:

            async def handle(key: str) -> Response:
                ordered = await self._parts.submit(request, _PURPOSE, body.values, body.files, key)
                return self._video(ordered.task, ordered.headers)

            return await self._parts.answer(request, body, handle)

    async def show(self, request: Request) -> Response:
        """A video as it stands."""
        return self._video(await _task(request))

    async def find(self, request: Request) -> Response:
        """A page of videos."""
        page: VideoPage = await video_page(request)
        documents = [VideoDocument(task, self._parts.names.shown_as(task.model)).document() for task in page.tasks]
        body = {
            "object": "list",
            "data": documents,
            "first_id": documents[0]["id"] if documents else None,
            "last_id": documents[-1]["id"] if documents else None,
            "has_more": page.has_more,
        }
        return JsonResponse(to_json(body), 200, {})

    async def delete(self, request: Request) -> Response:
        """Delete a video that has ended; cancel one that goes on, which stays to be looked at."""
        task, caller = await _task(request), caller_of(request)
        services = context_in(request.scope).services
        if not task.status.ended:
            await cancelling.cancel(services, task.id)
        else:
            owner = None if caller.sees_all else caller.owner
            await deletion.delete_task(services, task.id, owner, deleted_by=caller.owner)
        body = {"id": video_id(task.id), "object": "video.deleted", "deleted": True}
        return JsonResponse(to_json(body), 200, {})

    async def fetch(self, request: Request) -> Response:
        """The bytes of a video, or a picture of it."""
        variant = request.query_params.get("variant", "video")
        if variant not in {"video", "thumbnail"}:
            said = "is nothing that is made here" if variant == "spritesheet" else "is no variant"
            raise CallRefused(
                f"A {variant[:40]!r} {said}; there are video and thumbnail.", "invalid_value", field="variant"
            )
        asset = _content(await _task(request))
        width = ThumbnailWidth.W640 if variant == "thumbnail" else None
        return await fetch_content(request, asset.id, width)

    def _video(self, task: Task, headers: dict[str, str] | None = None) -> Response:
        poll = {} if task.status.ended else {"openai-poll-after-ms": str(POLL_AFTER_MS)}
        document = VideoDocument(task, self._parts.names.shown_as(task.model)).document()
        return JsonResponse(to_json(document), 200, {**(headers or {}), **poll})


async def _not_here(what: str, request: Request) -> Response:
    del request
    raise CallRefused(f"No video can {what} here: no model does it.", "unsupported_operation")


async def _task(request: Request) -> Task:
    """Raises `UnknownTask`, also where it is another key's."""
    return await task_for(request, task_id_of(request.path_params["video_id"]))


def _content(task: Task) -> Asset:
    """The video of a task, or else its first file. Raises `CallRefused`."""
    if task.status is not TaskStatus.SUCCEEDED:
        error = video_error(task)
        why = f"has failed: {error['message']}" if error else "is not ready yet"
        raise CallRefused(f"The video {video_id(task.id)} {why}", "video_not_ready", status=404)
    videos = (asset for asset in task.outputs if asset.content.media_type.startswith("video/"))
    return next(videos, None) or only_output(task)
