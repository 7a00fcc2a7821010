"""Servers with a certificate of an authority of one's own, reached as docs/how-to/reach-servers-by-tls.md says."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from genpulse.adapters.postgresql.connections import connect
from genpulse.adapters.redis.connection import RedisProbe, open_redis
from genpulse.adapters.redis.keys import Keyspace
from genpulse.adapters.storage.objects import ObjectStorage
from genpulse.addresses import postgresql, redis
from genpulse.addresses.query import Query
from genpulse.addresses.url import Url
from genpulse.ports import State
from tests.certificates import of_server, write_authority
from tests.fakes.odd_store import OddStore


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """The authority, and the key and certificate of a server."""
    return write_authority(tmp_path)


@asynccontextmanager
async def relay(url: str, tls: ssl.SSLContext, *, promise: bytes = b"") -> AsyncIterator[str]:
    """TLS before a server out of a wheel, which does not speak it. PostgreSQL promises it first."""
    port = int(Url.of(url).hosts[0].rpartition(":")[2])
    writers: set[asyncio.StreamWriter] = set()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(1 << 16):
                writer.write(data)
        writer.close()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.add(writer)
        with suppress(OSError):
            if promise:
                await reader.readexactly(8)
                writer.write(promise)
            await writer.start_tls(tls)
            there, to = await asyncio.open_connection("127.0.0.1", port)
            writers.add(to)
            await asyncio.gather(pump(reader, to), pump(there, writer))

    async with await asyncio.start_server(take, "127.0.0.1", 0) as server:
        yield f"localhost:{server.sockets[0].getsockname()[1]}"
    for writer in writers:
        writer.close()
    await asyncio.gather(*(writer.wait_closed() for writer in writers), return_exceptions=True)


@pytest.mark.parametrize("named", ["by a file", "by the system"])
async def test_postgresql(
    database_url: str, files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    query = Query("sslmode=verify-full").also("sslrootcert", str(files[0]))
    if named == "by the system":
        monkeypatch.setenv("SSL_CERT_FILE", str(files[0]))
        query = Query("sslrootcert=system")
    async with relay(database_url, of_server(files[1]), promise=b"S") as host:
        url = str(Url.of(database_url).named(hosts=(host,)).asking(query))
        assert postgresql.refusal(url) == ""
        connection = await connect(url, application_name="tests")
        assert await connection.fetchval("SELECT 1") == 1
        await connection.close()


async def test_redis(redis_url: str, files: tuple[Path, Path]) -> None:
    async with relay(redis_url, of_server(files[1])) as host:
        secured = Url.of(redis_url).named(scheme="rediss", hosts=(host,))
        url = str(secured.asking(Query("").also("ssl_ca_certs", str(files[0]))))
        assert redis.refusal(url) == ""
        client = open_redis(url, "dev:")
        assert (await RedisProbe(client, Keyspace("dev:"))()).state is State.OK
        await client.aclose()


async def test_a_bucket(files: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(files[0]))
    async with OddStore().running(of_server(files[1])) as store:
        options = {"endpoint": store.url, "access_key_id": "a", "secret_access_key": "b", "region": "us-east-1"}
        storage = ObjectStorage("s3://bucket", spool_dir=tmp_path, options=options)
        kept = await storage.keep(b"made")
        await storage.remove([kept.key])
        assert store.objects.keys() == {"/bucket/probe"}
        await storage.close()
