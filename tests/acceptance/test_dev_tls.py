"""`genpulse dev --tls`: https beside http, and what clients are told of it."""

import json
import os
import signal
import ssl
import urllib.request

import pytest

from genpulse.dev.processes.ports import free_port
from genpulse.dev.processes.unprivileged import remove_home
from tests.acceptance.dev_stack import Dev


@pytest.fixture
def dev(tmp_path):
    dev = Dev(tmp_path, "--no-reload", "--tls", "--tls-port", str(free_port()))
    yield dev
    dev.ended()
    remove_home(tmp_path / ".genpulse")


def environment_by(url, ca_file):
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}),
        urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=ca_file)),
    )
    with opener.open(f"{url}/v1/environment", timeout=30) as answer:
        return json.loads(answer.read())["name"]


def test_https_is_there_told_and_the_same_after_a_restart(dev):
    dev.start()
    doors = json.loads(dev.genpulse("doors", "--json").stdout)
    url, ca_file = doors["https_url"], doors["ca_file"]
    assert doors["http_url"] == dev.url
    assert url.startswith("https://localhost:")
    assert f"SSL_CERT_FILE={ca_file}" in dev.log
    assert environment_by(url, ca_file) == environment_by(dev.url, ca_file) == "dev"
    status = json.loads(dev.genpulse("dev", "status", "--json").stdout)
    assert status["https"] == {"url": url, "ca_file": ca_file}
    assert [process["name"] for process in status["processes"]] == [
        "api",
        "api-tls",
        "postgres",
        "redis",
        "worker",
    ]
    assert url in dev.genpulse("dev", "status").stdout
    authority = (dev.folder / ".genpulse/tls/authority.pem").read_bytes()

    os.kill(next(each["pid"] for each in status["processes"] if each["name"] == "api-tls"), signal.SIGKILL)
    dev.end(signal.SIGINT)
    assert dev.left_behind() == []
    dev.start()
    assert (dev.state["https_url"], dev.state["ca_file"]) == (url, ca_file)
    assert environment_by(url, ca_file) == "dev"
    assert (dev.folder / ".genpulse/tls/authority.pem").read_bytes() == authority
