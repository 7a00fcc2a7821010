"""What a user does with the package `replicate` 1.x. Prints a line of JSON for each call.

python use_replicate_1.py '{"url": …, "key": …, …}'
"""

import asyncio
import http.server
import io
import json
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import version

import httpx
import replicate
from replicate.exceptions import ModelError, ReplicateError
from replicate.helpers import FileOutput
from replicate.webhook import Webhooks

ASKED = json.loads(sys.argv[1])
IMAGE, NOOP, RESTYLE = "sandbox/image", "sandbox/noop", "sandbox/restyle"
SMALL = {"prompt": "a red fox", "width": 64, "height": 64}
_CALLS: list[tuple[str, Callable[[], str | None]]] = []


def call(name):
    """Registers a call under the name that the table shows."""

    def register(function):
        _CALLS.append((name, function))
        return function

    return register


def client_of(key="key", url="url"):
    return replicate.Client(api_token=ASKED.get(key, key), base_url=f"{ASKED[url]}/replicate")


client = client_of()


def is_png(content):
    assert content[:8] == b"\x89PNG\r\n\x1a\n", content[:16]


def picture():
    file = io.BytesIO(client.run(IMAGE, input=SMALL).read())
    file.name = "fox.png"
    is_png(file.getvalue())
    return file


def raised(kind, run):
    """The error of this kind that the call raises."""
    try:
        run()
    except kind as error:
        return error
    raise AssertionError(f"it raised no {kind.__name__}")


def refused(status, run, *words):
    error = raised(ReplicateError, run)
    assert error.status == status, error
    assert error.title, error
    for word in words:
        assert word in str(error), (word, error)


def failed(model_input, word):
    error = raised(ModelError, lambda: client.run(NOOP, input=model_input))
    assert word in str(error), error
    assert error.prediction.status == "failed"


@call("run, to a file that opens")
def _run():
    output = client.run(IMAGE, input=SMALL)
    assert isinstance(output, FileOutput), output
    is_png(output.read())


@call("run of a version")
def _run_version():
    version = client.models.get(IMAGE).latest_version
    is_png(client.run(f"{IMAGE}:{version.id}", input=SMALL).read())


@call("run of an alias")
def _run_alias():
    is_png(client.run("acme/flux", input=SMALL).read())


@call("run of a pinned version by an alias")
def _run_pinned():
    is_png(client.run(f"acme/old:{'39ed52f2' * 8}", input=SMALL).read())


@call("async_run")
def _async_run():
    async def run():
        output = await client.async_run(IMAGE, input=SMALL)
        return await output.aread()

    is_png(asyncio.run(run()))


@call("run, when the wait runs out")
def _run_long():
    begun = client.models.predictions.create(NOOP, input={"delay_s": 3, "output_bytes": 9}, wait=1)
    assert begun.status == "starting", begun.status
    output = client.run(NOOP, input={"delay_s": 3, "output_bytes": 9}, wait=1)
    assert len(output.read()) == 9


@call("predictions.create, wait, progress")
def _create():
    prediction = client.models.predictions.create(NOOP, input={"delay_s": 4, "output_bytes": 9})
    assert prediction.status == "starting"
    seen = []
    while prediction.status not in ("succeeded", "failed", "canceled"):
        time.sleep(0.3)
        prediction.reload()
        if prediction.progress:
            seen.append(prediction.progress.percentage)
    assert prediction.status == "succeeded"
    assert seen == sorted(seen)
    assert any(0 < share < 1 for share in seen), seen
    assert prediction.metrics["predict_time"] >= 4


@call("predictions.create of a deployment")
def _deployment():
    prediction = client.deployments.predictions.create("dev/either", input={"delay_s": 0, "output_bytes": 9})
    prediction.wait()
    assert prediction.status == "succeeded", prediction
    assert client.deployments.get("dev/either").name == "either"


@call("predictions.cancel")
def _cancel():
    prediction = client.models.predictions.create(NOOP, input={"delay_s": 60})
    prediction.cancel()
    prediction.wait()
    assert prediction.status == "canceled"


@call("a missed deadline")
def _deadline():
    answer = client._client.post(
        "/v1/predictions", json={"version": NOOP, "input": {"delay_s": 60}}, headers={"Cancel-After": "5s"}
    )
    prediction = client.predictions.get(answer.json()["id"])
    prediction.wait()
    assert prediction.status == "canceled"
    assert "deadline_exceeded" in prediction.error


@call("predictions.list, all pages")
def _list():
    for _ in range(101):
        client.models.predictions.create(NOOP, input={})
    pages = list(replicate.pagination.paginate(client.predictions.list))
    ids = [prediction.id for page in pages for prediction in page]
    assert len(pages) > 1
    assert len(ids) == len(set(ids)) > 100
    assert ASKED["own_task"] in ids


@call("a task of our own API")
def _own_task():
    assert client.predictions.get(ASKED["own_task"]).model == NOOP


@call("stream")
def _stream():
    events = list(client.stream(IMAGE, input={"prompt": "a red fox"}))
    names = [event.event.value for event in events]
    assert names[-2:] == ["output", "done"]
    assert "logs" in names
    is_png(events[-2].data.read() if isinstance(events[-2].data, FileOutput) else b"")


@call("stream of a failure")
def _stream_failure():
    error = raised(RuntimeError, lambda: list(client.stream(NOOP, input={"fail": "permanent"})))
    assert "provider_rejected" in str(error)


@call("files.create, get, list, delete")
def _files():
    file = client.files.create(picture(), metadata={"customer": "acme"})
    assert (file.name, file.content_type, file.metadata) == ("fox.png", "image/png", {"customer": "acme"})
    assert set(file.checksums) == {"sha256", "md5"}
    assert client.files.get(file.id) == file
    assert file in client.files.list()
    assert client.files.delete(file.id)
    refused(404, lambda: client.files.get(file.id))


@call("an input file: uploaded, as a data: URI, and an output")
def _inputs():
    file = picture()
    for words in ({}, {"file_encoding_strategy": "base64"}):
        file.seek(0)
        is_png(client.run(RESTYLE, input={"image": file, "prompt": "oil"}, **words).read())
    output = client.run(IMAGE, input=SMALL)
    is_png(client.run(RESTYLE, input={"image": str(output), "prompt": "oil"}).read())


@call("models.get, list, search, versions")
def _models():
    model = client.models.get(NOOP)
    assert model.latest_version.openapi_schema["components"]["schemas"]["Input"]["properties"]["delay_s"]
    assert model.versions.get(model.latest_version.id) == model.latest_version
    assert [version.id for version in model.versions.list()] == [model.latest_version.id]
    listed = [found.id for page in replicate.pagination.paginate(client.models.list) for found in page]
    assert model.id in listed
    assert model.id in [found.id for found in client.models.search("sandbox no-op")]


@call("collections, hardware, account, trainings")
def _small():
    assert [each.slug for each in client.collections.list() if each.slug == "text-to-image"]
    assert RESTYLE in [model.id for model in client.collections.get("image-to-image")]
    assert client.hardware.list() == []
    assert client.accounts.current().username == "clients"
    assert list(client.trainings.list()) == []
    training = {"version": f"{IMAGE}:00", "input": {"a": 1}, "destination": "a/b"}
    refused(422, lambda: client.trainings.create(**training), "trains none")


@call("a webhook, verified by its own check")
def _webhook():
    secret, told = client.webhooks.default.secret(), []

    class Receiver(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            Webhooks.validate(headers=dict(self.headers), body=body, secret=secret, tolerance=60)
            told.append(json.loads(body)["status"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    events = ["start", "output", "logs", "completed"]
    client.models.predictions.create(NOOP, input={"delay_s": 3}, webhook=url, webhook_events_filter=events)
    until(lambda: told and told[-1] == "succeeded")
    assert told[0] == "processing"
    assert len(told) >= 3, told
    told.clear()
    client.models.predictions.create(NOOP, input={}, webhook=url)
    until(lambda: told)
    assert told == ["succeeded"]


def until(holds, seconds=60):
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.1)


@call("refused: unknown model")
def _unknown_model():
    refused(404, lambda: client.run("sandbox/imag", input=SMALL), "sandbox/image")


@call("refused: unknown version")
def _unknown_version():
    refused(422, lambda: client.run(f"{IMAGE}:{'0' * 64}", input=SMALL), "Invalid version")


@call("refused: input that does not fit")
def _bad_input():
    refused(422, lambda: client.run(IMAGE, input={"prompt": "x", "width": "wide"}), "input.width")


@call("refused: no key, wrong key")
def _no_key():
    refused(401, lambda: client_of("gp_dev_wrong").accounts.current(), "Unauthenticated")
    refused(401, lambda: client_of("").accounts.current())


@call("refused: no scope")
def _no_scope():
    refused(403, lambda: client_of("reader_key").run(NOOP, input={}), "tasks:write")


@call("refused: over budget")
def _over_budget():
    refused(402, lambda: client_of("poor_key").run("sandbox/dear", input={}), "Insufficient credit")


@call("refused: rate limited")
def _rate_limited():
    limited = client_of("slow_key")
    words = "Request was throttled. Your rate limit resets in ~"
    refused(429, lambda: [limited.models.predictions.create(NOOP, input={}) for _ in range(9)], words)


@call("refused: a task of another key")
def _other_key():
    refused(404, lambda: client.predictions.get(ASKED["other_task"]))


@call("failed: moderation")
def _moderation():
    failed({"fail": "moderation"}, "moderation_blocked")


@call("failed: provider away")
def _away():
    failed({"fail": "transient"}, "provider_unavailable")


@call("a lost answer leads to one task")
def _lost():
    losing = client_of(url="lossy_url")
    httpx.post(ASKED["lose_url"], timeout=5)
    words = {"delay_s": 1, "output_bytes": 77}
    with suppress(httpx.HTTPError):
        losing.run(NOOP, input=words)
    assert len([each for each in client.predictions.list() if each.input == words]) == 1


def main():
    print(json.dumps({"client": "replicate (Python)", "version": version("replicate")}), flush=True)
    for name, function in _CALLS:
        seen, note = True, ""
        try:
            note = function() or ""
        except Exception as error:  # noqa: BLE001 - it is what is told
            seen, note = False, f"{type(error).__name__}: {error}"[:500]
        print(json.dumps({"call": name, "seen": seen, "note": note}), flush=True)


main()
