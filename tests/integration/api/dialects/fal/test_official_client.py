"""The official client of fal for Python, unmodified, at the door, over TLS: it speaks nothing else."""

import fal_client
import fal_client.client
import httpx
import pytest

from genpulse.dev.tls.certificates import tls_files
from genpulse.domain.attempt import Failed
from genpulse.domain.failure import Actor, Charged, Failure, FailureCode
from tests.api_keys import added
from tests.integration.api.dialects.fal.conftest import ALIAS, APP


@pytest.fixture
async def secure(open_door, tmp_path, monkeypatch):
    """The door behind TLS, and the client in an environment that leads there."""
    files = tls_files(tmp_path)
    fal = await open_door(tls=files)
    monkeypatch.setenv("SSL_CERT_FILE", str(files.bundle))
    # What FAL_RUN_HOST and FAL_QUEUE_RUN_HOST say is read when the package is imported.
    monkeypatch.setattr(fal_client.client, "RUN_URL_FORMAT", f"{fal.api.url}/fal/run/")
    monkeypatch.setattr(fal_client.client, "QUEUE_URL_FORMAT", f"{fal.api.url}/fal/queue/")
    return fal


@pytest.fixture
async def client_of(secure):
    clients = []

    async def make(token=""):
        _, headers = await added(secure.api.services.keys)
        client = fal_client.AsyncClient(key=token or headers["Authorization"].removeprefix("Bearer "))
        clients.append(client)
        return client

    yield make
    for client in clients:
        await (await client._client).aclose()


@pytest.fixture
async def client(client_of):
    return await client_of()


async def raised(status, words, call):
    with pytest.raises(fal_client.client.FalClientHTTPError) as error:
        await call
    assert (error.value.status_code, words in str(error.value)) == (status, True), error.value
    return error.value


@pytest.mark.parametrize("app", [APP, ALIAS])
async def test_it_subscribes_with_updates(secure, client, app):
    seen = []
    async with secure.api.worker():
        result = await client.subscribe(app, {"prompt": "a fox"}, with_logs=True, on_queue_update=seen.append)
    assert isinstance(seen[-1], fal_client.Completed)
    async with httpx.AsyncClient() as plain:
        assert (await plain.get(result["file"]["url"])).content == b"drawing of a fox"


async def test_it_runs_and_streams(secure, client):
    async with secure.api.worker():
        assert list(await client.run(APP, {"prompt": "a fox"})) == ["file"]
        events = [event async for event in client.stream(APP, {"prompt": "a fox"})]
    assert [list(event) for event in events] == [["file"]]


async def test_it_cancels(secure, client):
    handle = await client.submit(APP, {"prompt": "a fox"})
    assert isinstance(await handle.status(), fal_client.Queued)
    await handle.cancel()
    error = await raised(499, "cancelled", handle.get())
    assert error.error_type == "client_cancelled"


async def test_it_raises_what_was_refused(secure, client, client_of):
    await raised(404, APP, client.submit("art/easle", {"prompt": "a"}))
    error = await raised(422, "prompt", client.submit(APP, {"prompt": 5}))
    assert error.response.json()["detail"][0]["loc"] == ["body", "prompt"]
    await raised(401, "not known", (await client_of("gp_dev_wrong")).submit(APP, {"prompt": "a"}))
    handle = await client.submit(APP, {"prompt": "a"})
    other = await client_of()
    await raised(404, "no task", other.status(APP, handle.request_id))
    failure = Failure(FailureCode.MODERATION_BLOCKED, "No such pictures.", False, Charged.NO, Actor.CALLER)
    await secure.api.end(Failed(failure))
    error = await raised(422, "No such pictures.", handle.get())
    assert error.error_type == "content_policy_violation"
