"""What works for whoever comes knows nothing of who came first."""

from contextvars import ContextVar, copy_context

from structlog.contextvars import get_contextvars

from genpulse.adapters.database.coalescer import Coalescer
from genpulse.adapters.log_ids import bound
from genpulse.background.shared_task import shared_task

WHO: ContextVar[str] = ContextVar("WHO", default="nobody")


async def test_it_gets_nothing_of_the_context_in_which_it_begins():
    async def work():
        return WHO.get(), dict(copy_context())

    WHO.set("the first")
    task = shared_task(work(), "of all")
    assert task.get_name() == "of all"
    assert await task == ("nobody", {})
    WHO.set("nobody")


async def test_what_is_written_together_is_about_no_single_task():
    seen = []

    async def act(items):
        seen.append(get_contextvars())
        return items

    write = Coalescer(act)
    with bound(task_id="of one"):
        assert await write(1) == 1
    assert seen == [{}]
