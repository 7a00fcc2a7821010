"""What a user does with the package `replicate` 2. Prints a line of JSON for each call.

python use_replicate_2.py '{"url": …, "key": …, …}'
"""

import asyncio
import io
import json
import os
import sys
import time
import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import httpx

ASKED = json.loads(sys.argv[1])
os.environ["REPLICATE_API_TOKEN"] = ASKED["key"]
os.environ["REPLICATE_BASE_URL"] = f"{ASKED['url']}/replicate/v1"

import replicate  # noqa: E402 - it reads the environment
from replicate import AsyncReplicate, Replicate  # noqa: E402
from replicate.exceptions import ModelError  # noqa: E402

IMAGE, NOOP, RESTYLE = "sandbox/image", "sandbox/noop", "sandbox/restyle"
OF_IMAGE = {"model_owner": "sandbox", "model_name": "image"}
OF_NOOP = {"model_owner": "sandbox", "model_name": "noop"}
SMALL = {"prompt": "a red fox", "width": 64, "height": 64}
_CALLS: list[tuple[str, Callable[[], str | None]]] = []
warnings.simplefilter("ignore")


def call(name):
    """Registers a call under the name that the table shows."""

    def register(function):
        _CALLS.append((name, function))
        return function

    return register


def client_of(key="key", url="url", **words):
    return Replicate(bearer_token=ASKED.get(key, key), base_url=f"{ASKED[url]}/replicate/v1", **words)


client = client_of()


def is_png(content):
    assert content[:8] == b"\x89PNG\r\n\x1a\n", content[:16]


def picture():
    content = client.run(IMAGE, input=SMALL).read()
    is_png(content)
    return content


def raised(kind, run):
    """The error of this kind that the call raises."""
    try:
        run()
    except kind as error:
        return error
    raise AssertionError(f"it raised no {kind.__name__}")


def refused(kind, run, *words):
    error = raised(getattr(replicate, kind), run)
    for word in words:
        assert word in str(error), (word, error)


def ended(prediction):
    while prediction.status not in ("succeeded", "failed", "canceled"):
        time.sleep(0.2)
        prediction = client.predictions.get(prediction_id=prediction.id)
    return prediction


@call("run, to a file that opens")
def _run():
    is_png(client.run(IMAGE, input=SMALL).read())


@call("run of a version")
def _run_version():
    version = client.models.get(**OF_IMAGE).latest_version
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
        async with AsyncReplicate() as own:
            output = await own.run(IMAGE, input=SMALL)
            return await output.read()

    is_png(asyncio.run(run()))


@call("use")
def _use():
    is_png(Path(replicate.use(IMAGE)(**SMALL)).read_bytes())


@call("run, when the wait runs out")
def _run_long():
    output = client.run(NOOP, input={"delay_s": 3, "output_bytes": 9}, wait=1)
    assert len(output.read()) == 9


@call("predictions.create, wait, progress")
def _create():
    prediction = client.predictions.create(version=NOOP, input={"delay_s": 4, "output_bytes": 9})
    assert prediction.status == "starting"
    seen = []
    while prediction.status in ("starting", "processing"):
        time.sleep(0.3)
        prediction = client.predictions.get(prediction_id=prediction.id)
        seen += [prediction.logs] if prediction.logs else []
    assert prediction.status == "succeeded"
    assert any("|" in line for line in seen)
    assert prediction.metrics.predict_time >= 4


@call("predictions.create of a deployment")
def _deployment():
    named = {"deployment_owner": "dev", "deployment_name": "either"}
    prediction = client.deployments.predictions.create(**named, input={"output_bytes": 9})
    assert ended(prediction).status == "succeeded"
    assert client.deployments.get(**named).name == "either"
    assert "either" in [each.name for each in client.deployments.list()]


@call("predictions.cancel")
def _cancel():
    prediction = client.models.predictions.create(**OF_NOOP, input={"delay_s": 60})
    client.predictions.cancel(prediction_id=prediction.id)
    assert ended(prediction).status == "canceled"


@call("a missed deadline")
def _deadline():
    headers = {"Cancel-After": "5s"}
    prediction = client.predictions.create(version=NOOP, input={"delay_s": 60}, extra_headers=headers)
    assert prediction.deadline
    assert ended(prediction).status == "canceled"


@call("predictions.list, all pages")
def _list():
    for _ in range(101):
        client.models.predictions.create(**OF_NOOP, input={})
    ids = [prediction.id for prediction in client.predictions.list()]
    assert len(ids) == len(set(ids)) > 100
    assert ASKED["own_task"] in ids


@call("a task of our own API")
def _own_task():
    assert client.predictions.get(prediction_id=ASKED["own_task"]).model == NOOP


@call("files.create, get, list, delete")
def _files():
    said = {"metadata": {"customer": "acme"}, "filename": "fox.png", "type": "image/png"}
    file = client.files.create(content=picture(), **said)
    assert (file.content_type, file.metadata) == ("image/png", {"customer": "acme"})
    assert client.files.get(file_id=file.id).checksums.sha256 == file.checksums.sha256
    assert file.id in [each.id for each in client.files.list().results]
    client.files.delete(file_id=file.id)
    refused("NotFoundError", lambda: client.files.get(file_id=file.id))


@call("an input file: uploaded, as a data: URI, and an output")
def _inputs():
    content = picture()
    for words in ({}, {"file_encoding_strategy": "base64"}):
        file = io.BytesIO(content)
        file.name = "fox.png"
        is_png(client.run(RESTYLE, input={"image": file, "prompt": "oil"}, **words).read())
    output = client.run(IMAGE, input=SMALL)
    is_png(client.run(RESTYLE, input={"image": str(output), "prompt": "oil"}).read())


@call("models.get, list, search, versions")
def _models():
    model = client.models.get(**OF_NOOP)
    version = client.models.versions.get(**OF_NOOP, version_id=model.latest_version.id)
    assert version.openapi_schema["components"]["schemas"]["Input"]["properties"]["delay_s"]
    assert [each.id for each in client.models.versions.list(**OF_NOOP)] == [version.id]
    assert "noop" in [each.name for each in client.models.list()]
    assert "noop" in [each.name for each in client.models.search(body="sandbox no-op")]
    assert "noop" in [found.model.name for found in client.search(query="sandbox no-op").models]
    assert client.models.readme.get(**OF_NOOP)
    assert list(client.models.examples.list(**OF_NOOP)) == []


@call("collections, hardware, account, trainings")
def _small():
    assert "text-to-image" in [each.slug for each in client.collections.list()]
    assert client.collections.get(collection_slug="text-to-image").models
    assert client.hardware.list() == []
    assert client.account.get().username == "clients"
    assert list(client.trainings.list()) == []
    training = {**OF_IMAGE, "version_id": "00", "destination": "a/b", "input": {"a": 1}}
    refused("UnprocessableEntityError", lambda: client.trainings.create(**training), "trains none")


@call("the secret of webhooks")
def _secret():
    assert client.webhooks.default.secret.get().key.startswith("whsec_")


@call("refused: unknown model")
def _unknown_model():
    refused("NotFoundError", lambda: client.run("sandbox/imag", input=SMALL), "sandbox/image")


@call("refused: unknown version")
def _unknown_version():
    refused("UnprocessableEntityError", lambda: client.run(f"{IMAGE}:{'0' * 64}", input=SMALL), "Invalid version")


@call("refused: input that does not fit")
def _bad_input():
    wrong = {"prompt": "x", "width": "wide"}
    refused("UnprocessableEntityError", lambda: client.run(IMAGE, input=wrong), "input.width")


@call("refused: no key, wrong key")
def _no_key():
    for key in ("gp_dev_wrong", "x"):
        refused("AuthenticationError", lambda key=key: client_of(key).account.get(), "Unauthenticated")


@call("refused: no scope")
def _no_scope():
    refused("PermissionDeniedError", lambda: client_of("reader_key").run(NOOP, input={}), "tasks:write")


@call("refused: over budget")
def _over_budget():
    refused("APIStatusError", lambda: client_of("poor_key").run("sandbox/dear", input={}), "Insufficient credit")


@call("refused: rate limited")
def _rate_limited():
    limited = client_of("slow_key", max_retries=0)
    words = "Request was throttled. Your rate limit resets in ~"
    refused("RateLimitError", lambda: [limited.account.get() for _ in range(9)], words)


@call("refused: a task of another key")
def _other_key():
    refused("NotFoundError", lambda: client.predictions.get(prediction_id=ASKED["other_task"]))


def failed(model_input, word):
    error = raised(ModelError, lambda: client.run(NOOP, input=model_input))
    assert word in str(error), error


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
    words = {"delay_s": 1, "output_bytes": 78}
    assert len(losing.run(NOOP, input=words).read()) == 78
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
