"""What a user does with the package `fal_client`, in whichever version. Prints a line of JSON for each call.

python use_fal.py '{"url": …, "api_url": …, "key": …, …}'
"""

import asyncio
import base64
import concurrent.futures
import hashlib
import http.server
import json
import os
import queue
import ssl
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable
from importlib.metadata import version

ASKED = json.loads(sys.argv[1])
os.environ["FAL_KEY"] = ASKED["key"]

import fal_client  # noqa: E402 - it reads its environment when it is imported
import fal_client.client  # noqa: E402
import httpx  # noqa: E402

_CALLS: list[tuple[str, Callable[[], str | None]]] = []
_APP, _NOOP = "sandbox/image", "sandbox/noop"
_WAIT_S = 120


class Missing(Exception):
    """This version of the package has no such call."""


def call(name: str):
    """Registers a call under the name that the table shows."""

    def register(function):
        _CALLS.append((name, function))
        return function

    return register


def of_key(key: str):
    return fal_client.SyncClient(key=key)


def taken(what, name):
    """A function of the package, which old versions may not have."""
    found = getattr(what, name, None)
    if found is None:
        raise Missing
    return found


def opens(result):
    file = result["images"][0]
    answer = httpx.get(file["url"])
    assert answer.content[:8] == b"\x89PNG\r\n\x1a\n", answer.content[:16]
    assert len(answer.content) == file["file_size"]
    assert file["url"].startswith("https://"), file["url"]
    return answer.content


def refused(status, words, function):
    """The answer by which the client raises its error; old versions have it in that one's cause alone."""
    raised = None
    try:
        function()
    except fal_client.client.FalClientError as error:
        raised = error
    assert raised is not None, "nothing was raised"
    response = getattr(raised, "response", None) or raised.__cause__.response
    assert response.status_code == status, (response.status_code, str(raised))
    assert response.headers["x-fal-request-id"]
    assert words in response.text, response.text
    return response


def api(path, key=None, method="GET"):
    headers = {"Authorization": f"Bearer {key or ASKED['key']}"}
    asked = urllib.request.Request(f"{ASKED['api_url']}{path}", headers=headers, method=method)
    with urllib.request.urlopen(asked) as answer:
        return json.load(answer)


@call("run")
def _():
    opens(fal_client.run(_APP, {"prompt": "a red fox"}))


@call("submit, result")
def _():
    handle = fal_client.submit(_APP, {"prompt": "a red fox"})
    opens(handle.get())
    opens(fal_client.result(_APP, handle.request_id))


@call("submit below a path, status by the app alone")
def _():
    handle = fal_client.submit(ASKED["alias"], {"prompt": "a red fox"})
    owner_and_alias = "/".join(ASKED["alias"].split("/")[:2])
    fal_client.status(owner_and_alias, handle.request_id)
    opens(handle.get())


@call("subscribe, with updates and logs")
def _():
    seen = []
    result = fal_client.subscribe(_APP, {"prompt": "a blue fox"}, with_logs=True, on_queue_update=seen.append)
    opens(result)
    assert isinstance(seen[-1], fal_client.Completed), seen[-1]
    lines = [line["message"] for line in seen[-1].logs]
    assert any("step" in line for line in lines), lines


@call("iter_events")
def _():
    handle = fal_client.submit(_APP, {"prompt": "a green fox"})
    events = list(handle.iter_events(with_logs=True))
    assert [type(event) for event in events][-1] is fal_client.Completed
    assert all(type(event) in {fal_client.Queued, fal_client.InProgress} for event in events[:-1])


@call("stream")
def _():
    events = list(fal_client.stream(_APP, {"prompt": "a fox"}))
    opens(events[-1])


@call("cancel")
def _():
    handle = fal_client.submit(_NOOP, {"delay_s": 60})
    handle.cancel()
    refused(499, "cancelled", handle.get)
    assert api(f"/v1/tasks/{handle.request_id}")["status"] == "canceled"


@call("cancel of what has ended")
def _():
    handle = fal_client.submit(_NOOP, {})
    handle.get()
    refused(400, "ALREADY_COMPLETED", handle.cancel)


@call("the asynchronous client")
def _():
    async def play():
        handle = await fal_client.submit_async(_APP, {"prompt": "a fox"})
        async for event in handle.iter_events():
            last = event
        assert isinstance(last, fal_client.Completed)
        return await handle.get()

    opens(asyncio.run(play()))


@call("a file as input: encode_file")
def _():
    with tempfile.NamedTemporaryFile(suffix=".png") as file:
        file.write(opens(fal_client.run(_APP, {"prompt": "a red fox"})))
        file.flush()
        uri = fal_client.encode_file(file.name)
    opens(fal_client.subscribe("sandbox/restyle", {"prompt": "as a woodcut", "image": uri}))


@call("upload_file")
def _():
    content = opens(fal_client.run(_APP, {"prompt": "a red fox"}))
    with tempfile.NamedTemporaryFile(suffix=".png") as file:
        file.write(content)
        file.flush()
        url = fal_client.upload_file(file.name)
    assert httpx.get(url).content == content
    opens(fal_client.subscribe("sandbox/restyle", {"prompt": "as a woodcut", "image": url}))
    return "REST_URL and CDN_URL of fal_client.client have to be assigned"


@call("realtime is refused in words")
def _():
    connect = taken(fal_client, "realtime")
    refused(400, "submit", lambda: connect(_APP).__enter__())


@call("a webhook, verified")
def _():
    told: queue.Queue = queue.Queue()

    class Receiver(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            told.put((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    handle = fal_client.submit(
        _APP, {"prompt": "a fox"}, webhook_url=f"http://127.0.0.1:{server.server_port}/hook?x=1"
    )
    headers, body = told.get(timeout=_WAIT_S)
    server.shutdown()
    message = json.loads(body)
    assert (message["request_id"], message["status"]) == (handle.request_id, "OK"), message
    assert message["payload"]["images"]
    assert is_signed({name.lower(): value for name, value in headers.items()}, body)
    assert not is_signed({name.lower(): value for name, value in headers.items()}, body + b" ")


def is_signed(headers, body):
    """As fal's documentation has a receiver do it, with PyNaCl."""
    from nacl.exceptions import BadSignatureError
    from nacl.signing import VerifyKey

    if abs(time.time() - int(headers["x-fal-webhook-timestamp"])) > 300:
        return False
    lines = (
        headers["x-fal-webhook-request-id"],
        headers["x-fal-webhook-user-id"],
        headers["x-fal-webhook-timestamp"],
        hashlib.sha256(body).hexdigest(),
    )
    context = ssl.create_default_context(cafile=os.environ["SSL_CERT_FILE"])
    with urllib.request.urlopen(f"{ASKED['url']}/fal/.well-known/jwks.json", context=context) as answer:
        keys = json.load(answer)["keys"]
    for key in keys:
        point = base64.urlsafe_b64decode(key["x"] + "=" * (-len(key["x"]) % 4))
        try:
            VerifyKey(point).verify("\n".join(lines).encode(), bytes.fromhex(headers["x-fal-webhook-signature"]))
        except BadSignatureError:
            continue
        return True
    return False


@call("an unknown model")
def _():
    refused(404, _APP, lambda: fal_client.submit("sandbox/imgae", {"prompt": "a"}))


@call("input that does not fit, with its field")
def _():
    answer = refused(422, "prompt", lambda: fal_client.submit(_APP, {"prompt": 5}))
    assert answer.json()["detail"][0]["loc"] == ["body", "prompt"]


@call("moderation")
def _():
    answer = refused(422, "content_policy_violation", lambda: fal_client.subscribe(_NOOP, {"fail": "moderation"}))
    assert answer.json()["detail"][0]["type"] == "content_policy_violation"


@call("a provider that refuses")
def _():
    refused(400, "downstream_service_error", lambda: fal_client.subscribe(_NOOP, {"fail": "permanent"}))


@call("a wrong key")
def _():
    refused(401, "not known", lambda: of_key("gp_dev_wrong").submit(_APP, {"prompt": "a"}))


@call("a key of another environment")
def _():
    refused(403, "environment", lambda: of_key("gp_live_wrong").submit(_APP, {"prompt": "a"}))


@call("a key without the scope")
def _():
    refused(403, "tasks:write", lambda: of_key(ASKED["read_key"]).submit(_APP, {"prompt": "a"}))


@call("a request of another key")
def _():
    handle = fal_client.submit(_NOOP, {})
    other = of_key(ASKED["other_key"])
    refused(404, "no task", lambda: other.status(_NOOP, handle.request_id))
    refused(404, "no task", lambda: other.result(_NOOP, handle.request_id))
    refused(404, "NOT_FOUND", lambda: other.cancel(_NOOP, handle.request_id))


@call("limits of a key: too many calls, too many tasks")
def _():
    """The client repeats such calls for a minute before it gives up; both wait together."""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        waits = [pool.submit(_limited, ASKED[name]) for name in ("rate_key", "poor_key")]
        for wait in waits:
            wait.result()


def _limited(key):
    client = of_key(key)
    client.submit(_NOOP, {})
    refused(429, "", lambda: client.submit(_NOOP, {"delay_s": 0.1}))


@call("a task of our own API")
def _():
    body = json.dumps({"model": _APP, "input": {"prompt": "a fox"}}).encode()
    headers = {"Authorization": f"Bearer {ASKED['key']}", "Content-Type": "application/json"}
    asked = urllib.request.Request(f"{ASKED['api_url']}/v1/tasks", body, headers)
    with urllib.request.urlopen(asked) as answer:
        task_id = json.load(answer)["id"]
    while not isinstance(fal_client.status(_APP, task_id), fal_client.Completed):
        time.sleep(0.1)
    opens(fal_client.result(_APP, task_id))


@call("an answer that is lost leads to one task")
def _():
    format_before = fal_client.client.QUEUE_URL_FORMAT
    fal_client.client.QUEUE_URL_FORMAT = f"https://localhost:{ASKED['lossy_port']}/fal/queue/"
    prompt = f"lost by {version('fal-client')} {time.time()}"
    try:
        handle = of_key(ASKED["key"]).submit(_APP, {"prompt": prompt})
    except httpx.TransportError as error:
        raise Missing from error  # old versions do not make the call again
    finally:
        fal_client.client.QUEUE_URL_FORMAT = format_before
    tasks = [task for task in api("/v1/tasks?limit=100")["data"] if task["input"].get("prompt") == prompt]
    assert [task["id"] for task in tasks] == [handle.request_id], tasks


def main() -> None:
    fal_client.client.REST_URL = f"{ASKED['url']}/fal/rest"
    fal_client.client.CDN_URL = f"{ASKED['url']}/fal/cdn"
    print(json.dumps({"client": "fal-client (Python)", "version": version("fal-client")}))
    for name, function in _CALLS:
        seen, note = True, None
        try:
            note = function()
        except Missing:
            seen = None
        except Exception as error:  # noqa: BLE001 - whatever goes wrong is told
            seen, note = False, f"{type(error).__name__}: {error}"[:300]
        print(json.dumps({"call": name, "seen": seen, "note": note or ""}), flush=True)


if __name__ == "__main__":
    main()
