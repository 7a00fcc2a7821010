"""Outputs as a grid of pictures, and up to four of them side by side."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from starlette.datastructures import QueryParams
from starlette.responses import Response

from genpulse.console import rendering
from genpulse.console.live import Fragments
from genpulse.console.pages import tasks
from genpulse.console.pages.tasks import TaskListing
from genpulse.console.viewer import Viewer
from genpulse.console.views.outputs import ShownOutput, shown_output
from genpulse.console.visit import Visit
from genpulse.domain.errors import UnknownTask
from genpulse.domain.json.value import JsonObject, JsonValue
from genpulse.domain.task import Task, TaskStatus
from genpulse.ports import Services

KIND = "gallery"
EVERY_S = 2.0
PAGE = 48
MOST_COMPARED = 4
_STATUS = ("status", TaskStatus.SUCCEEDED.value)


@dataclass(frozen=True, slots=True)
class Tile:
    """A task with its outputs, as far as the viewer may see them."""

    task: Task
    outputs: Sequence[ShownOutput]


@dataclass(frozen=True, slots=True)
class ComparedRow:
    """What stands under one name in each of the inputs, as JSON; empty where it is left out."""

    name: str
    values: tuple[str, ...]

    @property
    def differs(self) -> bool:
        """Whether the inputs differ in it."""
        return len(set(self.values)) > 1


async def show(visit: Visit) -> Response:
    """The page."""
    services = visit.services
    listing = await read(services, visit.viewer, visit.request.query_params)
    parts = await fragments(services, visit.viewer, listing)
    return visit.page(
        "gallery.html",
        "Gallery",
        live=f"/live/gallery?{listing.filter}" if listing.is_first else "",
        listing=listing,
        parts=parts,
        models=[model_id for model_id, _ in services.catalogue.models()],
        most_compared=MOST_COMPARED,
    )


async def read(services: Services, viewer: Viewer, parameters: QueryParams) -> TaskListing:
    """What is asked for: the filters of tasks, of those that succeeded."""
    told = [pair for pair in parameters.multi_items() if pair[0] not in {"status", "task"}]
    return await tasks.read(services, viewer, QueryParams([*told, _STATUS]))


async def fragments(services: Services, viewer: Viewer, listing: TaskListing) -> Fragments:
    """The grid."""
    listed = await tasks.look(services, listing, PAGE)
    tiles = [_tile(viewer, task) for task in listed.tasks if task.outputs]
    html = rendering.render("gallery/grid.html", viewer=viewer, listing=listing, listed=listed, tiles=tiles)
    return {"grid": html}


def _tile(viewer: Viewer, task: Task) -> Tile:
    outputs = task.outputs if viewer.shows_content(task) else ()
    return Tile(task, [shown_output(viewer.links, asset) for asset in outputs])


async def compare(visit: Visit) -> Response:
    """Up to four tasks side by side. Raises `UnknownTask`, `DatabaseUnavailable`."""
    words = list(dict.fromkeys(visit.request.query_params.getlist("task")))
    candidates = await asyncio.gather(*(visit.task_of(_id(word)) for word in words[:MOST_COMPARED]))
    shown_tasks = [task for task in candidates if visit.viewer.shows_content(task)]
    return visit.page(
        "compare.html",
        "Side by side",
        tiles=[_tile(visit.viewer, task) for task in shown_tasks],
        rows=compared([task.input for task in shown_tasks]),
        left_out=max(0, len(words) - MOST_COMPARED),
    )


def _id(word: str) -> UUID:
    try:
        return UUID(word)
    except ValueError:
        raise UnknownTask(repr(word[:100])) from None


def compared(inputs: Sequence[JsonObject]) -> list[ComparedRow]:
    """A row for each name that any of the inputs has, those that differ first."""
    names = list(dict.fromkeys(name for document in inputs for name in document))
    rows = [
        ComparedRow(name, tuple(_written(document[name]) if name in document else "" for document in inputs))
        for name in names
    ]
    return sorted(rows, key=lambda row: not row.differs)


def _written(value: JsonValue) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
