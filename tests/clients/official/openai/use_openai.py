"""What a user does with the package `openai`, in whichever version runs this. Prints a line of JSON for each call.

python use_openai.py '{"base_url": …, "key": …, …}'
"""

import base64
import contextlib
import http.server
import io
import json
import queue
import struct
import sys
import threading
import time
import urllib.request
import zlib
from collections.abc import Callable

import openai

_CALLS: list[tuple[str, Callable[..., str | None]]] = []
_WAIT_S = 120
_POLL_S = 0.2


class Missing(Exception):
    """This version of the package has no such call."""


def call(name: str):
    """Registers a call under the name that the table shows."""

    def register(function):
        _CALLS.append((name, function))
        return function

    return register


def png(side: int = 64) -> bytes:
    """A small picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(
        b"\0" + b"".join(bytes((x * 4 % 256, y * 4 % 256, 90)) for x in range(side)) for y in range(side)
    )
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def is_png(content: bytes) -> None:
    assert content[:8] == b"\x89PNG\r\n\x1a\n", content[:16]


def videos(client):
    """The resource, which the oldest versions do not have."""
    if not hasattr(client, "videos"):
        raise Missing("this version has no videos")
    return client.videos


def raises(kind, code, function, **words):
    """The error that the client raises."""
    raised = None
    try:
        function(**words)
    except openai.APIStatusError as error:
        raised = error
    assert type(raised) is kind, (type(raised), str(raised))
    assert raised.code == code, (raised.code, str(raised))
    return raised


def ended(client, video_id):
    ends_at = time.monotonic() + _WAIT_S
    while time.monotonic() < ends_at:
        video = videos(client).retrieve(video_id)
        assert type(video.progress) is int, video.progress
        if video.status not in {"queued", "in_progress"}:
            return video
        time.sleep(_POLL_S)
    raise AssertionError("it did not end")


@call("models.list, models.retrieve")
def models(client, _config):
    assert "sandbox/image" in [model.id for model in client.models.list()]
    assert client.models.retrieve("sandbox/image").owned_by == "sandbox"


@call("images.generate")
def generate(client, _config):
    made = client.images.generate(model="sandbox/image", prompt="a red fox at dawn", size="256x128", n=1)
    content = base64.b64decode(made.data[0].b64_json)
    is_png(content)
    assert struct.unpack(">II", content[16:24]) == (256, 128)
    assert made.created > 1_700_000_000


@call("images.generate, as a url")
def generate_url(client, _config):
    made = client.images.generate(
        model="sandbox/image", prompt="a red fox", size="128x128", response_format="url", extra_body={"seed": 7}
    )
    with urllib.request.urlopen(made.data[0].url) as answer:
        is_png(answer.read())


@call("images.generate, streamed")
def generate_streamed(client, _config):
    events = list(
        client.images.generate(
            model="sandbox/image", prompt="a fox", size="128x128", stream=True, partial_images=2
        )
    )
    (event,) = events
    assert event.type == "image_generation.completed", event.type
    is_png(base64.b64decode(event.b64_json))


@call("images.edit")
def edit(client, _config):
    made = client.images.edit(model="sandbox/restyle", image=("a.png", png()), prompt="at dusk")
    is_png(base64.b64decode(made.data[0].b64_json))


@call("images.create_variation")
def variation(client, _config):
    made = client.images.create_variation(
        model="sandbox/restyle", image=io.BytesIO(png()), response_format="b64_json"
    )
    is_png(base64.b64decode(made.data[0].b64_json))


@call("videos.create, retrieve, download_content")
def video(client, config):
    made = videos(client).create(
        model="sandbox/video", prompt="a lighthouse in a storm", seconds="1", size="128x128", extra_body={"fps": 8}
    )
    assert made.id.startswith("video_"), made.id
    assert (made.object, made.seconds, made.size) == ("video", "1", "128x128"), made
    done = ended(client, made.id)
    assert (done.status, done.progress) == ("completed", 100), done
    content = videos(client).download_content(done.id).read()
    assert content[4:8] == b"ftyp" or content[:4] == b"\x1a\x45\xdf\xa3", content[:16]
    picture = videos(client).download_content(done.id, variant="thumbnail").read()
    assert picture[:4] == b"RIFF", picture[:16]
    config["video"] = done.id


@call("videos.create_and_poll, with a picture")
def video_of_picture(client, _config):
    done = videos(client).create_and_poll(
        model="sandbox/animate",
        prompt="closer",
        seconds="1",
        input_reference=("a.png", png(), "image/png"),
        extra_body={"fps": 8, "longest": 64},
    )
    assert done.status == "completed", done


@call("videos.list")
def video_list(client, _config):
    found = [one.id for one in videos(client).list(limit=1)]
    assert len(found) == len(set(found)) >= 2, found
    other_way = [one.id for one in videos(client).list(order="asc", limit=50)]
    assert other_way == found[::-1]


@call("videos.delete, of one that has ended")
def delete(client, config):
    gone = videos(client).delete(config["video"])
    assert gone.deleted
    raises(openai.NotFoundError, "unknown_task", videos(client).retrieve, video_id=config["video"])


@call("videos.delete, of one that runs: it is canceled")
def cancel(client, _config):
    made = videos(client).create(model="sandbox/noop", prompt="", extra_body={"delay_s": 600})
    assert videos(client).delete(made.id).deleted
    done = ended(client, made.id)
    assert (done.status, done.error.code) == ("failed", "canceled"), done


@call("audio.speech.create")
def speech(client, _config):
    spoken = client.audio.speech.create(model="sandbox/speech", voice="alloy", input="Hello.")
    assert spoken.content[:4] == b"RIFF", spoken.content[:16]
    assert spoken.response.headers["content-type"] == "audio/wav"
    with client.audio.speech.with_streaming_response.create(
        model="sandbox/speech", voice="alloy", input="Hello.", response_format="wav", speed=1.5
    ) as streamed:
        assert b"".join(streamed.iter_bytes())[:4] == b"RIFF"


@call("a task of another door is a video")
def other_door(client, config):
    body = json.dumps({"model": "sandbox/video", "input": {"prompt": "x", "duration_s": 1, "fps": 8}}).encode()
    headers = {"Authorization": f"Bearer {config['key']}", "Content-Type": "application/json"}
    asked = urllib.request.Request(f"{config['url']}/v1/tasks", body, headers)
    with urllib.request.urlopen(asked) as answer:
        task_id = json.load(answer)["id"]
    assert ended(client, task_id).status == "completed"
    assert task_id.replace("-", "") in [one.id.removeprefix("video_") for one in videos(client).list()]


@call("NotFoundError: unknown model, with near ones")
def unknown_model(client, _config):
    error = raises(
        openai.NotFoundError, "model_not_found", client.images.generate, model="sandbox/imaga", prompt="x"
    )
    assert "sandbox/image" in str(error), error
    assert error.param == "model"


@call("BadRequestError: what does not fit, with its field")
def bad_input(client, _config):
    size = raises(
        openai.BadRequestError,
        "invalid_input",
        client.images.generate,
        model="sandbox/image",
        prompt="x",
        size="9000x9000",
    )
    assert size.param == "size", size.param
    words = {"model": "sandbox/image", "prompt": "x"}
    unknown = raises(
        openai.BadRequestError, "unknown_parameter", client.images.generate, **words, extra_body={"sede": 1}
    )
    assert unknown.param == "sede", unknown.param
    count = raises(openai.BadRequestError, "unknown_parameter", client.images.generate, **words, n=2)
    assert count.param == "n", count.param


@call("AuthenticationError: no key, wrong key")
def wrong_key(client, _config):
    stranger = client.with_options(api_key="gp_dev_wrong")
    raises(openai.AuthenticationError, "invalid_api_key", stranger.models.list)
    nobody = {"extra_headers": {"Authorization": "Bearer"}}
    raises(openai.AuthenticationError, "invalid_api_key", client.models.list, **nobody)


@call("PermissionDeniedError: no scope")
def no_scope(client, config):
    reader = client.with_options(api_key=config["read_key"])
    raises(
        openai.PermissionDeniedError,
        "insufficient_scope",
        reader.images.generate,
        model="sandbox/image",
        prompt="x",
    )


@call("RateLimitError: too many calls, too much money")
def limits(client, config):
    fast = client.with_options(api_key=config["rate_key"], max_retries=0)
    fast.models.list()
    raises(openai.RateLimitError, "rate_limit_exceeded", fast.models.list)
    poor = client.with_options(api_key=config["poor_key"])
    poor.images.generate(model="sandbox/image", prompt="x", size="64x64")
    words = {"model": "sandbox/image", "prompt": "x", "size": "64x64"}
    raises(openai.RateLimitError, "insufficient_quota", poor.images.generate, **words)


@call("NotFoundError: a task of another key")
def foreign(client, config):
    other = client.with_options(api_key=config["other_key"])
    made = videos(client).create(model="sandbox/noop", prompt="")
    raises(openai.NotFoundError, "unknown_task", videos(other).retrieve, video_id=made.id)


@call("BadRequestError: moderation")
def moderation(client, _config):
    words = {"model": "sandbox/noop", "prompt": "x", "extra_body": {"fail": "moderation"}}
    raises(openai.BadRequestError, "moderation_blocked", client.images.generate, **words)


@call("InternalServerError: provider away, deadline; ordered once")
def provider_away(client, _config):
    words = {"model": "sandbox/noop", "prompt": "x"}
    body = {"delay_s": 60, "deadline_s": 1}
    raises(openai.InternalServerError, "deadline_exceeded", client.images.generate, **words, extra_body=body)


@call("a lost answer leads to one task")
def lost_answer(client, config):
    lossy = client.with_options(base_url=config["lossy_url"])
    body = {"output_bytes": 10, "metadata": {"call": config["mark"]}}
    made = lossy.images.generate(model="sandbox/noop", prompt="x", extra_body=body)
    assert made.data[0].b64_json
    headers = {"Authorization": f"Bearer {config['key']}"}
    asked = urllib.request.Request(f"{config['url']}/v1/tasks?metadata.call={config['mark']}", headers=headers)
    with urllib.request.urlopen(asked) as answer:
        assert len(json.load(answer)["data"]) == 1


class Receiver(http.server.ThreadingHTTPServer):
    """Takes one message after the other."""

    def __init__(self) -> None:
        self.messages: queue.Queue = queue.Queue()
        super().__init__(("127.0.0.1", 0), _Taking)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class _Taking(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.messages.put((body.decode(), dict(self.headers.items())))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_words):
        """Say nothing."""


@call("webhooks.unwrap")
def webhook(client, config):
    if not hasattr(client, "webhooks"):
        raise Missing("this version has no webhooks")
    receiver = Receiver()
    address = f"http://127.0.0.1:{receiver.server_port}/hook"
    told = client.with_options(default_headers={"X-GenPulse-Webhook-URL": address})
    for body, end in (({}, "completed"), ({"fail": "permanent"}, "failed")):
        words = {"model": "sandbox/noop", "prompt": "x", "extra_body": body}
        if hasattr(client, "videos"):
            videos(told).create(**words)
        else:
            with contextlib.suppress(openai.APIStatusError):
                told.images.generate(**words)
        text, headers = receiver.messages.get(timeout=_WAIT_S)
        event = client.webhooks.unwrap(text, headers, secret=config["webhook_secret"])
        assert event.type == f"video.{end}", event
        assert event.data.id.startswith("video_"), event
        try:
            client.webhooks.unwrap(text + " ", headers, secret=config["webhook_secret"])
        except openai.InvalidWebhookSignatureError:
            continue
        raise AssertionError("a message that was changed is taken")


def main(config: dict) -> None:
    client = openai.OpenAI(base_url=config["base_url"], api_key=config["key"])
    print(json.dumps({"client": "openai (Python)", "version": openai.__version__}))
    for name, function in _CALLS:
        if config.get("only") and config["only"] not in name:
            continue
        try:
            seen, note = True, function(client, config) or ""
        except Missing as error:
            seen, note = None, str(error)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told
            seen, note = False, f"{type(error).__name__}: {error}"[:500]
        print(json.dumps({"call": name, "seen": seen, "note": note}), flush=True)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
