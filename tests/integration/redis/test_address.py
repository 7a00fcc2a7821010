"""What a Redis URL means."""

from urllib.parse import parse_qsl

import pytest
from redis.asyncio.connection import SSLConnection

from genpulse.adapters.redis.address import BadRedisAddress, address_of


def test_one_server():
    address = address_of("redis://ada:s3cret@host:7000/3?socket_timeout=1")
    assert address.kind == "server"
    assert address.options == {
        "host": "host",
        "port": 7000,
        "db": 3,
        "username": "ada",
        "password": "s3cret",
        "socket_timeout": 1.0,
    }
    assert address_of("unix:///run/redis.sock").options["path"] == "/run/redis.sock"
    assert address_of("rediss://host").options["connection_class"] is SSLConnection


def test_sentinels():
    address = address_of("rediss+sentinel://:s3cret@a:1,b,c:3/main-service/2?ssl_ca_certs=/ca.pem")
    assert (address.kind, address.hosts, address.service) == (
        "sentinel",
        (("a", 1), ("b", 26379), ("c", 3)),
        "main-service",
    )
    assert (address.options["db"], address.options["password"]) == (2, "s3cret")
    assert address.options["connection_class"] is SSLConnection
    assert address.options["ssl_ca_certs"] == "/ca.pem"
    assert "host" not in address.options


def test_sentinels_with_a_login_of_their_own():
    url = "redis+sentinel://ada:s3cret@a/main/2?sentinel_username=sen&sentinel_password=p%40ss%2B&socket_timeout=1"
    address = address_of(url)
    assert address.sentinel_login == {"username": "sen", "password": "p@ss+"}
    assert address.options == {"username": "ada", "password": "s3cret", "db": 2, "socket_timeout": 1.0}
    assert address_of("redis+sentinel://:s3cret@a/main").sentinel_login == {}


def test_a_cluster():
    address = address_of("redis+cluster://ada:s3cret@a:7000,b:7001")
    assert (address.kind, address.hosts) == ("cluster", (("a", 7000), ("b", 7001)))
    assert address.options == {"username": "ada", "password": "s3cret"}


@pytest.mark.parametrize(
    "url",
    [
        "s3cret",
        "http://s3cret@host",
        "redis+ring://s3cret@host",
        "redis+sentinel://s3cret@host",
        "redis+sentinel://:s3cret@/service",
        "redis+cluster://:s3cret@host:port",
        "redis://:s3cret@host:port",
    ],
)
def test_what_means_nothing(url):
    with pytest.raises(BadRedisAddress, match="Expected such as redis://") as caught:
        address_of(url)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("kind", ["sentinel", "cluster"])
@pytest.mark.parametrize(
    "query", ["client_name=me@elsewhere", "password=a@b:7/c", "client_name=x/y@z,w", "username=@&password=@", ""]
)
@pytest.mark.parametrize("login", ["", "ada:s3cret@", "a@b:c@"])
def test_an_at_in_the_query_leads_to_no_other_host(kind, query, login):
    path = "/main/1" if kind == "sentinel" else ""
    address = address_of(f"redis+{kind}://{login}a:1,b:2{path}" + (f"?{query}" if query else ""))
    assert address.hosts == (("a", 1), ("b", 2))
    own = {"": {}, "ada:s3cret@": {"username": "ada", "password": "s3cret"}}
    expected = {**dict(parse_qsl(query)), **own.get(login, {"username": "a@b", "password": "c"})}
    assert {name: address.options.get(name) for name in expected} == expected


def test_a_query_right_behind_the_hosts():
    assert address_of("redis+cluster://a,b:2?client_name=me").hosts == (("a", 6379), ("b", 2))
