"""The official client of Replicate for Python, unmodified, at the door."""

import io
import sys

import httpx
import pytest

if sys.version_info >= (3, 14):
    pytest.skip("the client of Replicate 1.x ends with Python 3.13", allow_module_level=True)

import replicate
from replicate.exceptions import ModelError, ReplicateError
from replicate.pagination import async_paginate

from genpulse.api.options import ApiOptions
from tests.api_keys import added
from tests.integration.api.conftest import KEY_PREFIXES

PUBLIC = "https://genpulse.example"


class Patient(httpx.AsyncHTTPTransport):
    """Waits for an answer on a busy machine, where the client gives a held call up after half a second more."""

    async def handle_async_request(self, request):
        request.extensions["timeout"]["read"] = 60.0
        return await super().handle_async_request(request)


@pytest.fixture
async def client_of():
    """A client with a key that the server knows, or with the word that is given for one."""
    clients = []

    async def make(served, token: str = ""):
        _, headers = await added(served.services.keys)
        token = token or headers["Authorization"].removeprefix("Bearer ")
        url = f"{served.url}/replicate"
        clients.append(replicate.Client(api_token=token, base_url=url, timeout=60, transport=Patient()))
        return clients[-1]

    yield make
    for client in clients:
        await client._async_client.aclose()


@pytest.fixture
async def known(served, client_of):
    return await client_of(served)


async def test_it_runs_a_model(served, known):
    async with served.worker():
        output = await known.async_run("art/print", input={"prompt": "a fox"})
    assert (await known._async_client.get(output)).content == b"\x00print"


async def test_it_runs_a_version_and_an_alias(served, known):
    async with served.worker():
        version = (await known.models.async_get("art/press")).latest_version
        outputs = await known.async_run(f"art/press:{version.id}", input={"prompt": "a", "num_outputs": 2})
        assert len(outputs) == 2
        assert await known.async_run("acme/flux", input={"prompt": "a"})


async def test_addresses_are_https_where_the_public_one_is_and_become_files(serve, door, client_of):
    served = await serve(ApiOptions(public_url=PUBLIC, api_key_prefixes=KEY_PREFIXES), doors=[door])
    client = await client_of(served)
    async with served.worker():
        output = await client.async_run("art/print", input={"prompt": "a fox"})
    assert isinstance(output, replicate.helpers.FileOutput)
    assert output.url.startswith(f"{PUBLIC}/v1/assets/")


async def test_a_run_goes_on_after_its_wait_has_run_out(served, known):
    served.easel.allowed.clear()
    async with served.worker():
        prediction = await known.models.predictions.async_create("art/easel", input={"prompt": "a"}, wait=1)
        assert prediction.status == "starting"
        await served.easel.half_way.wait()
        served.easel.allowed.set()
        await prediction.async_wait()
    assert prediction.status == "succeeded"


async def test_it_cancels_lists_and_follows(served, known):
    prediction = await known.models.predictions.async_create("art/print", input={"prompt": "a"})
    await prediction.async_cancel()
    assert prediction.status == "canceled"
    pages = [page async for page in async_paginate(known.predictions.async_list)]
    assert [one.id for page in pages for one in page] == [prediction.id]
    async with served.worker():
        stream = await known.async_stream("art/print", input={"prompt": "a"})
        names = [event.event.value async for event in stream]
    assert names[-2:] == ["output", "done"]


async def test_it_brings_a_file_and_names_it_in_an_input(served, known):
    file = io.BytesIO(b"\x89PNG\r\n\x1a\nnot much of one")
    file.name = "fox.png"
    brought = await known.files.async_create(file, metadata={"customer": "acme"})
    assert set(brought.checksums) == {"sha256", "md5"}
    assert [one.id for one in await known.files.async_list()] == [brought.id]
    prediction = await known.models.predictions.async_create("art/copier", input={"image": brought.urls["get"]})
    assert prediction.input == {"image": brought.urls["get"]}


async def test_a_failure_is_a_model_error(served, known):
    served.easel.failures = 1
    async with served.worker():
        with pytest.raises(ModelError, match="provider_rejected"):
            await known.async_run("art/easel", input={"prompt": "a"})


@pytest.mark.parametrize(
    ("model", "model_input", "status", "word"),
    [
        ("art/none", {"prompt": "a"}, 404, "art/"),
        ("art/print:00", {"prompt": "a"}, 422, "Invalid version"),
        ("art/print", {"prompt": 5}, 422, "input.prompt"),
    ],
)
async def test_what_is_refused_is_a_replicate_error(known, model, model_input, status, word):
    with pytest.raises(ReplicateError, match=word) as caught:
        await known.async_run(model, input=model_input)
    assert caught.value.status == status


async def test_a_wrong_key_is_a_replicate_error(served, client_of):
    client = await client_of(served, "gp_dev_wrong")
    with pytest.raises(ReplicateError, match="Unauthenticated"):
        await client.accounts.async_current()
