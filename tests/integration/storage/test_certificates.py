"""Stores with TLS, the authorities that are trusted for it, and addresses where there is no store."""

from pathlib import Path

import pytest

from genpulse.adapters.storage.objects import ObjectStorage
from genpulse.dev.processes.ports import free_port
from genpulse.ports import State
from tests.certificates import of_server, write_certificate
from tests.fakes.odd_store import OddStore
from tests.wrong_servers import WRONG, Certificate, http_server, written

KEYS = {"access_key_id": "a", "secret_access_key": "b", "region": "us-east-1"}
WORDS = {
    "authority": "its authority is unknown here. Name that in SSL_CERT_FILE, or let the system trust it",
    "expiry": "it is not valid at this time. Renew it",
    "name": "it is of another name. Let storage.endpoint use a name that is in it",
}


def opened(endpoint: str, folder: Path) -> ObjectStorage:
    return ObjectStorage("s3://bucket", spool_dir=folder, options={**KEYS, "endpoint": endpoint})


async def said_of(endpoint: str, folder: Path) -> str:
    """Asked again where a busy machine has not answered in time."""
    storage = opened(endpoint, folder)
    health = await storage.probe()
    while health.detail.startswith("no answer within"):
        health = await storage.probe()
    await storage.close()
    assert health.state is State.DOWN
    return health.detail


async def test_an_authority_of_ones_own_is_named_in_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For all that a store is asked, the removal of one by one among it."""
    authority = written(tmp_path, Certificate())
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    async with OddStore().running(of_server(authority)) as store:
        storage = opened(store.url, tmp_path)
        kept = await storage.keep(b"made")
        await storage.remove([kept.key])
        await storage.close()
    assert store.objects.keys() == {"/bucket/probe"}


@pytest.mark.parametrize("wrong", WRONG)
async def test_what_is_wrong_with_a_certificate_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    certificate, _ = WRONG[wrong]
    pem = written(tmp_path, certificate)
    if certificate.trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    async with OddStore().running(of_server(pem)) as store:
        assert WORDS[wrong] in await said_of(store.url, tmp_path)


async def test_a_server_that_shows_the_authority_itself_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pem = write_certificate(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    async with OddStore().running(of_server(pem)) as store:
        assert "Give the server one of its own that the authority has signed" in await said_of(store.url, tmp_path)


async def test_where_there_is_no_store(tmp_path: Path) -> None:
    async with http_server() as port:
        assert "has no TLS where storage.endpoint says https" in await said_of(
            f"https://localhost:{port}", tmp_path
        )
    assert "Nothing listens where storage.endpoint" in await said_of(f"http://127.0.0.1:{free_port()}", tmp_path)
    assert "has no address" in await said_of("http://no-such-host.invalid", tmp_path)
