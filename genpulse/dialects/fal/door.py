"""The calls under `/fal`."""

from genpulse.api.door import Door, DoorCall
from genpulse.dialects.fal import request_id
from genpulse.dialects.fal.queue import PREFIX, Queue
from genpulse.dialects.fal.refusals import refuse
from genpulse.dialects.model_names import ModelNames
from genpulse.dialects.options import DialectOptions
from genpulse.dialects.polled_tasks import PolledTasks
from genpulse.dialects.repeated_calls import RepeatedCalls

NAME = "fal"


def fal_door(options: DialectOptions) -> Door:
    """fal's API."""
    names = ModelNames(options.aliases, NAME)
    queue = Queue(names, RepeatedCalls(), PolledTasks())
    calls = [*_requests(queue, "/queue"), DoorCall("POST", "/queue/{app:path}", queue.submit)]
    return Door(NAME, PREFIX, calls, refuse, request_id.headers)


def _requests(queue: Queue, place: str) -> list[DoorCall]:
    one = f"{place}/{{app:path}}/requests/{{request_id}}"
    return [
        DoorCall("GET", f"{one}/status", queue.status),
        DoorCall("PUT", f"{one}/cancel", queue.cancel),
        DoorCall("GET", one, queue.result),
        DoorCall("GET", f"{one}/response", queue.result),
    ]
