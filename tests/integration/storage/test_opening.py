from pathlib import Path

import pytest
from obstore.store import GCSStore, LocalStore, MemoryStore, S3Store

from genpulse.adapters.storage.checksum import checksum_options
from genpulse.adapters.storage.objects import ObjectStorage
from genpulse.adapters.storage.opening import open_store
from genpulse.domain.errors import StorageUnavailable
from genpulse.ports import State

KEYS = {"access_key_id": "id", "secret_access_key": "secret", "region": "eu-central-1"}


def test_a_folder_is_made(tmp_path: Path) -> None:
    folder = tmp_path / "a b" / "ü"
    assert isinstance(open_store(folder.as_uri(), {}), LocalStore)
    assert folder.is_dir()


def test_memory() -> None:
    assert isinstance(open_store("memory:///", {}), MemoryStore)


def test_remote_stores_are_not_asked_yet() -> None:
    store = open_store("s3://bucket/some/prefix", {**KEYS, "endpoint": "http://127.0.0.1:9"})
    assert isinstance(store, S3Store)
    assert isinstance(open_store("gs://bucket", {}), GCSStore)


@pytest.mark.parametrize("url", ["file://folder", "file:folder", "file://elsewhere/folder"])
def test_a_folder_has_to_be_absolute_and_here(url: str) -> None:
    with pytest.raises(ValueError, match="needs an absolute folder with three slashes"):
        open_store(url, {})


@pytest.mark.parametrize("url", ["", "folder", "ftp://host/folder", "nonsense://"])
def test_other_urls_are_refused_with_a_hint(url: str) -> None:
    with pytest.raises(ValueError, match="A storage URL is file:///folder"):
        open_store(url, {})


def test_an_option_that_the_store_does_not_know() -> None:
    with pytest.raises(ValueError, match="nonsense"):
        open_store("s3://bucket", {**KEYS, "nonsense": "1"})


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageUnavailable, match="open the storage folder"):
        open_store((tmp_path / "file" / "below").as_uri(), {})


@pytest.mark.parametrize(
    ("url", "endpoint", "wanted", "algorithm"),
    [
        ("s3://bucket", "", "auto", "sha256"),
        ("s3://bucket", "https://s3.example.com", "auto", None),
        ("s3://bucket", "https://s3.example.com", "sha256", "sha256"),
        ("s3a://bucket", "https://s3.example.com", "crc64nvme", "crc64nvme"),
        ("s3://bucket", "", "none", None),
        ("gs://bucket", "", "sha256", None),
        ("az://container", "", "sha256", None),
        ("file:///folder", "", "sha256", None),
    ],
)
def test_which_checksum_goes_with_what_is_put(url, endpoint, wanted, algorithm):
    options = checksum_options(url, {"endpoint": endpoint} if endpoint else {}, wanted)
    assert options.get("checksum_algorithm") == algorithm
    if url.startswith("s3"):
        open_store(url, {**KEYS, **options})


async def test_a_panic_of_the_client_is_an_error_like_others(tmp_path: Path) -> None:
    storage = ObjectStorage("s3://bucket", spool_dir=tmp_path, options={**KEYS, "endpoint": "http://a b"})
    with pytest.raises(
        StorageUnavailable, match=r"odd signs in storage.url, storage.endpoint and the AWS_… variables"
    ):
        await storage.keep(b"x")
    assert (await storage.probe()).state is State.DOWN
    await storage.close()


async def test_an_endpoint_that_the_client_has_found_by_itself_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    storage = ObjectStorage("s3://bucket", spool_dir=tmp_path, options=KEYS)
    with pytest.raises(StorageUnavailable, match=r"taken from storage.endpoint, not AWS_ENDPOINT_URL"):
        await storage.keep(b"x")
    await storage.close()
