"""Who may call."""

from dataclasses import replace

import pytest
from starlette.requests import HTTPConnection

from genpulse.api.auth.loopback import LoopbackAccess, is_loopback
from genpulse.api.errors import AuthenticationRequired
from genpulse.api.options import ApiOptions
from genpulse.ports import EnvironmentFacts

DEV = EnvironmentFacts("dev", "development", "dev", "dev:", "local", "auto-spawn", "Development", "gp_dev_")


def connection(client="127.0.0.1", **headers):
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    return HTTPConnection({"type": "http", "client": (client, 4711) if client else None, "headers": raw})


async def test_outside_of_dev_every_call_needs_a_key(serve):
    for path in ["/v1/tasks", "/v1/models", "/v1/environment", "/v1/nothing", "/v1"]:
        api = await serve(environment=replace(DEV, name="test", api_key_prefix="gp_test_"))
        refused = await api.get(path)
        assert "gp_test_" in refused.problem(401, "authentication_required")["detail"]
        assert refused.headers["WWW-Authenticate"].startswith("Bearer")
        (await api.submit()).problem(401, "authentication_required")


async def test_what_is_not_under_v1_needs_no_key(serve):
    api = await serve(environment=replace(DEV, name="main"))
    for path in ("/healthz", "/readyz", "/metrics", "/openapi.json", "/docs"):
        assert (await api.get(path)).status == 200


@pytest.mark.parametrize(
    ("ours", "key", "theirs"), [("test", "gp_live_abc", "main"), ("dev", "gp_test_abc", "test")]
)
async def test_a_key_of_another_environment_is_refused_by_its_prefix(serve, ours, key, theirs):
    prefixes = {"gp_dev_": "dev", "gp_test_": "test", "gp_live_": "main"}
    api = await serve(ApiOptions(api_key_prefixes=prefixes), environment=replace(DEV, name=ours))
    refused = await api.get("/v1/tasks", headers={"Authorization": f"bearer {key}"})
    detail = refused.problem(403, "foreign_environment")["detail"]
    assert repr(ours) in detail
    assert repr(theirs) in detail
    assert key not in detail


@pytest.mark.parametrize("client", ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"])
@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1", "[::1]:8000", "api.localhost"])
def test_this_machine_needs_no_key(client, host):
    LoopbackAccess(DEV).check(connection(client, host=host))


@pytest.mark.parametrize(
    "stranger",
    [
        connection("10.0.0.7", host="localhost"),
        connection("fe80::1%eth0", host="localhost"),
        connection(None, host="localhost"),
        connection("127.0.0.1", host="rebound.example"),
        connection("127.0.0.1", host="localhost", origin="https://elsewhere.example"),
        connection("127.0.0.1", host="localhost", origin="null"),
        connection("127.0.0.1", host="[::1"),
    ],
)
def test_others_need_one(stranger):
    with pytest.raises(AuthenticationRequired):
        LoopbackAccess(DEV).check(stranger)


def test_the_public_host_is_ours_too():
    access = LoopbackAccess(DEV, "dev.example")
    access.check(connection(host="dev.example:443", origin="https://dev.example"))


@pytest.mark.parametrize(("host", "loopback"), [("localhost", True), ("", False), ("127.0.0.1.example", False)])
def test_loopback(host, loopback):
    assert is_loopback(host) is loopback
