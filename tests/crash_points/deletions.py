"""What has to be true of tasks that were deleted, whatever went wrong meanwhile."""

from collections.abc import Iterator
from uuid import UUID

from tests.crash_points.play import Play
from tests.crash_points.vendor import content_of

_OF_TASK = ("attempts", "deliveries", "asset_uses", "queue", "assets")


async def deletions(play: Play) -> list[str]:
    """Everything that is broken, in words."""
    broken: list[str] = []
    for task_id in play.deleted:
        stones = await play.lane.fetch("SELECT * FROM tombstones WHERE id = $1", task_id)
        if len(stones) != 1 or stones[0]["erased_at"] is None:
            broken.append("a task that was deleted has no tombstone that says when it was erased")
        for table in _OF_TASK:
            left = await play.lane.fetch(f"SELECT FROM {table} WHERE task_id = $1", task_id)
            broken += [f"{table} still know a task that was deleted"] * bool(left)
        broken += _orders(play, task_id)
        broken += _bytes(play, task_id)
    return broken


def _orders(play: Play, task_id: UUID) -> Iterator[str]:
    if len([order for order in play.books.of(task_id) if not order.failed]) > 1:
        yield "a task that was deleted was ordered again"


def _bytes(play: Play, task_id: UUID) -> Iterator[str]:
    content = content_of(task_id)
    for path in play.lane.folder.rglob("*"):
        if path.is_file() and path.stat().st_size == len(content) and path.read_bytes() == content:
            yield "bytes of a task that was deleted are still there"
