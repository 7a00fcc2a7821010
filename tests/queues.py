"""What tests see of a queue."""

from genpulse.ports import TaskQueue


async def depth_of(queue: TaskQueue) -> int:
    """How many tasks wait."""
    return sum(backlog.count for backlog in (await queue.backlogs()).values())
