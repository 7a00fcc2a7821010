"""What is said when PostgreSQL cannot be used: what was found, and what to do."""

import pytest

from genpulse.adapters.postgresql.connections import connect
from genpulse.dev.processes.ports import free_port
from genpulse.domain.errors import DatabaseUnavailable
from tests.wrong_servers import WRONG, http_server, tls_server

CASES = {
    "password": ("{scheme}://{user}:wrong@{place}/x", "refuses the user or the password of GENPULSE_DATABASE_URL"),
    "user": ("{scheme}://nobody:wrong@{place}/x", 'authentication failed for user "nobody"). Mend them there.'),
    "database": (
        "{scheme}://{login}@{place}/nope",
        'has no such database (InvalidCatalogNameError: database "nope"',
    ),
    "no TLS": ("{scheme}://{login}@{place}/x?sslmode=require", "No TLS with PostgreSQL"),
    "nobody there": ("{scheme}://{login}@127.0.0.1:{free}/x", "Nothing listens where GENPULSE_DATABASE_URL names"),
    "no such host": (
        "{scheme}://{login}@nowhere.invalid/x",
        "host of PostgreSQL has no address: look at the name in",
    ),
    "another server": ("{scheme}://{login}@127.0.0.1:{http}/x?sslmode=require", "is another kind of server"),
}


async def said(url):
    with pytest.raises(DatabaseUnavailable) as caught:
        await connect(url, application_name="test")
    return str(caught.value)


@pytest.mark.parametrize("case", sorted(CASES))
async def test_who_must_act_is_told_what_is_wrong(migrated_url, case):
    scheme, _, rest = migrated_url.partition("://")
    login, _, place = rest.rpartition("/")[0].rpartition("@")
    url, words = CASES[case]
    async with http_server() as http:
        facts = {"scheme": scheme, "login": login, "user": login.partition(":")[0], "place": place, "http": http}
        message = await said(url.format(**facts, free=free_port()))
    assert words in message
    assert login.partition(":")[2] not in message


@pytest.mark.parametrize("wrong", sorted(WRONG))
async def test_a_certificate_that_is_not_trusted_is_told_with_why(tmp_path, wrong):
    certificate, words = WRONG[wrong]
    async with tls_server(tmp_path, certificate, promise=b"S") as (port, authority):
        root = f"&sslrootcert={authority}" if authority else "&sslrootcert=system"
        message = await said(f"postgresql://u:p@localhost:{port}/d?sslmode=verify-full{root}")
    assert message.startswith("The certificate of PostgreSQL is not trusted: ")
    assert words in message
    assert "GENPULSE_DATABASE_URL" in message
