"""The calls under `/fal`."""

from genpulse.api.door import Door, DoorCall
from genpulse.dialects.fal import key_set, request_id
from genpulse.dialects.fal.files import parts, uploads
from genpulse.dialects.fal.proxy import Proxy
from genpulse.dialects.fal.queue import PREFIX, Queue
from genpulse.dialects.fal.refusals import refuse
from genpulse.dialects.fal.run import Runs
from genpulse.dialects.fal.status_stream import StatusStreams
from genpulse.dialects.model_names import ModelNames
from genpulse.dialects.options import DialectOptions
from genpulse.dialects.polled_tasks import PolledTasks
from genpulse.dialects.repeated_calls import RepeatedCalls

NAME = "fal"
BODY_BYTES = 16 << 20
"""Arguments may have files in them, as `data:` URIs."""


def fal_door(options: DialectOptions) -> Door:
    """fal's API."""
    names, repeated = ModelNames(options.aliases, NAME), RepeatedCalls()
    queue, proxy = Queue(names, repeated, PolledTasks()), Proxy()
    runs = Runs(names, repeated, queue, options.wait_s[NAME])
    calls = [
        *_requests(queue, "/queue"),
        *_requests(queue, "/run"),
        DoorCall("POST", "/queue/{app:path}", queue.submit, body_bytes=BODY_BYTES),
        DoorCall("POST", "/run/{app:path}/stream", runs.stream, body_bytes=BODY_BYTES),
        DoorCall("GET", "/run/{app:path}/realtime", runs.realtime, needs_key=False),
        DoorCall("POST", "/run/{app:path}", runs.run, body_bytes=BODY_BYTES),
        DoorCall("POST", "/rest/tokens", runs.realtime),
        *(DoorCall(method, "/proxy", proxy.forward, body_bytes=BODY_BYTES) for method in ("GET", "POST", "PUT")),
        *_files(),
        *(
            DoorCall("GET", f"{place}/.well-known/jwks.json", key_set.show_keys, needs_key=False)
            for place in ("", "/rest")
        ),
    ]
    proxy.door = Door(NAME, PREFIX, calls, refuse, request_id.headers)
    return proxy.door


def _requests(queue: Queue, place: str) -> list[DoorCall]:
    one = f"{place}/{{app:path}}/requests/{{request_id}}"
    return [
        DoorCall("GET", f"{one}/status", queue.status),
        DoorCall("GET", f"{one}/status/stream", StatusStreams(queue).stream),
        DoorCall("PUT", f"{one}/cancel", queue.cancel),
        DoorCall("GET", one, queue.result),
        DoorCall("GET", f"{one}/response", queue.result),
    ]


def _files() -> list[DoorCall]:
    return [
        DoorCall("POST", "/rest/storage/upload/initiate", uploads.initiate),
        DoorCall("POST", "/rest/storage/upload/initiate-multipart", uploads.initiate_parts),
        DoorCall("POST", "/rest/storage/auth/token", uploads.token),
        DoorCall("POST", "/cdn/files/upload", uploads.upload_whole, takes_files=True),
        DoorCall("PUT", "/parts/{upload_id}/{number}", parts.bring_part, needs_key=False, takes_files=True),
        DoorCall("POST", "/parts/{upload_id}/complete", parts.complete, needs_key=False),
    ]
