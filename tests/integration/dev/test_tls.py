"""https on this machine: an authority of one's own, and what it has signed."""

import asyncio
import socket
import ssl
import stat
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509

from genpulse.dev.servers.health_checks import answers_ok
from genpulse.dev.tls.certificates import RENEWED_BEFORE, tls_files
from genpulse.dev.tls.certificates import _read as read_signed
from genpulse.dev.tls.signing import AUTHORITY_LASTS, CERTIFICATE_LASTS, new_certificate

NOW = datetime.now(UTC)


@pytest.fixture
def home(tmp_path):
    home = tmp_path / "my app" / ".genpulse"
    home.mkdir(parents=True)
    return home


def contents(files):
    return {name: getattr(files, name).read_bytes() for name in ("authority", "certificate", "key")}


def connect(files, name, *, to=None, trusting=None):
    """Shake hands with a server that has these files."""

    async def meet():
        ours = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        if to is None:
            ours.load_cert_chain(files.certificate, files.key)
        else:
            ours.load_cert_chain(to)
        server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=ours)
        async with server:
            port = server.sockets[0].getsockname()[1]
            context = ssl.create_default_context(cafile=trusting or files.bundle)
            context.verify_flags |= ssl.VERIFY_X509_STRICT
            _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname=name)
            writer.close()

    asyncio.run(meet())


@pytest.mark.parametrize("name", ["localhost", "queue.localhost", "127.0.0.1", "::1"])
def test_a_client_that_trusts_the_authority_connects_by_every_name(home, name):
    files = tls_files(home)
    connect(files, name)
    connect(files, name, trusting=files.authority)


def test_one_that_does_not_trust_it_does_not(home, tmp_path):
    files = tls_files(home)
    (tmp_path / "other").mkdir()
    other = tls_files(tmp_path / "other")
    with pytest.raises(ssl.SSLCertVerificationError):
        connect(files, "localhost", trusting=other.authority)


def test_the_authority_can_be_no_other_host(home):
    """Whoever steals its key signs nothing that a client takes for somebody else."""
    files = tls_files(home)
    authority = read_signed(files.authority, home / "tls" / "authority.key")
    forged = new_certificate(authority, NOW, ["fal.run", "10.0.0.1"])
    chain = home / "forged.pem"
    chain.write_text(forged.key_pem + forged.pem)
    for name in ("fal.run", "10.0.0.1"):
        with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree"):
            connect(files, name, to=chain)


def test_keys_are_for_their_owner_alone(home):
    files = tls_files(home)
    for key in (files.key, home / "tls" / "authority.key"):
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE((home / "tls").stat().st_mode) == 0o700
    files.key.chmod(0o644)
    assert stat.S_IMODE(tls_files(home).key.stat().st_mode) == 0o600


def test_they_stay_from_start_to_start(home):
    before = contents(tls_files(home))
    assert contents(tls_files(home)) == before
    assert contents(tls_files(home, NOW + CERTIFICATE_LASTS - RENEWED_BEFORE - timedelta(days=1))) == before


def test_a_certificate_that_runs_out_is_made_anew_and_the_authority_stays(home):
    before = contents(tls_files(home))
    after = contents(tls_files(home, NOW + CERTIFICATE_LASTS - RENEWED_BEFORE + timedelta(days=1)))
    assert after["authority"] == before["authority"]
    assert after["certificate"] != before["certificate"]


def test_an_authority_that_runs_out_is_made_anew_with_all_that_it_has_signed(home):
    before = contents(tls_files(home))
    later = NOW + AUTHORITY_LASTS - CERTIFICATE_LASTS + timedelta(days=1)
    after = contents(tls_files(home, later))
    assert not after.keys() & {name for name in after if after[name] == before[name]}
    made = x509.load_pem_x509_certificate(after["certificate"])
    assert made.not_valid_after_utc > later


@pytest.mark.parametrize("name", ["authority.pem", "authority.key", "server.pem", "server.key"])
@pytest.mark.parametrize("text", [None, "", "nonsense"])
def test_what_is_lost_or_broken_is_made_anew(home, name, text):
    tls_files(home)
    file = home / "tls" / name
    file.unlink() if text is None else file.write_text(text)
    connect(tls_files(home), "localhost")


def test_files_of_two_authorities_do_not_fit_and_are_made_anew(home, tmp_path):
    files = tls_files(home)
    (tmp_path / "other").mkdir()
    other = tls_files(tmp_path / "other")
    files.certificate.write_bytes(other.certificate.read_bytes())
    files.key.write_bytes(other.key.read_bytes())
    connect(tls_files(home), "localhost")


async def test_an_https_server_is_asked_by_what_it_is_trusted_for(home):
    files = tls_files(home)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(files.certificate, files.key)

    async def answer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    listener = socket.create_server(("127.0.0.1", 0))
    async with await asyncio.start_server(answer, sock=listener, ssl=context):
        url = f"https://localhost:{listener.getsockname()[1]}/readyz"
        assert await answers_ok(url, str(files.bundle))
        assert not await answers_ok(url.replace("https", "http"))
