"""What is told of a process to others: how it is switched on, and what it costs where it is off."""

import subprocess
import sys
from contextlib import AsyncExitStack

import pytest

from genpulse.adapters.http.http_client import HttpClient
from genpulse.adapters.log_ids import LoggedIds
from genpulse.adapters.otel.tracing import OtelTracing
from genpulse.config import ConfigurationError, load
from genpulse.environment.build_info import Build
from genpulse.environment.table import ENVIRONMENTS
from genpulse.ports import NoTracing
from genpulse.wiring import observation
from genpulse.wiring.observation import check_extras, open_observation, resource

URL = {"GENPULSE_TRACING__OTLP_URL": "http://127.0.0.1:1"}
DSN = {"GENPULSE_SENTRY__DSN": "http://0123456789abcdef@127.0.0.1:1/7"}

WITHOUT = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.startswith(("opentelemetry.sdk", "opentelemetry.exporter", "sentry_sdk")):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Missing())
"""
LOADED = """
heavy = ("opentelemetry.sdk.trace", "opentelemetry.exporter", "opentelemetry.proto", "requests", "sentry_sdk")
print(*sorted(name for name in sys.modules if name.startswith(heavy)))
"""
"""FastAPI itself imports the plain API of OpenTelemetry, and redis its metrics where they are installed."""


def settings_of(folder, environment="dev", **variables):
    return load(folder, {"ENV": environment, **variables}, require=())


def said(program: str) -> str:
    words = [sys.executable, "-c", program]
    return subprocess.run(words, capture_output=True, text=True, check=True, timeout=120).stdout.strip()


def test_the_package_alone_loads_nothing_of_it():
    assert "opentelemetry" not in said("import sys, genpulse, genpulse.__main__; print(*sys.modules)")


def test_nothing_of_it_is_loaded_where_it_is_off():
    processes = "import genpulse.asgi, genpulse.cli.worker.process, genpulse.wiring.services"
    assert said(f"import sys\n{processes}\n{LOADED}") == ""


OPENED = """
import asyncio, sys
from contextlib import AsyncExitStack
from pathlib import Path
from genpulse.adapters.http.http_client import HttpClient
from genpulse.config import load
from genpulse.wiring.observation import open_observation
async def main():
    async with AsyncExitStack() as stack:
        http = HttpClient("1")
        found = open_observation(stack, load(Path("/nonexistent"), {"ENV": "dev"}, require=()), "api", http)
        assert found.http is http
        print(type(found.tracing).__name__)
asyncio.run(main())
"""


def test_a_process_without_the_extras_works_as_one_that_has_them_off():
    assert said(f"{WITHOUT}{OPENED}") == "NoTracing"
    assert said(f"{OPENED}{LOADED}") == "NoTracing"


async def test_each_is_opened_where_it_is_configured_and_closed_at_the_end(tmp_path):
    for variables, kind in ((URL, OtelTracing), (DSN, LoggedIds), ({**URL, **DSN}, OtelTracing), ({}, NoTracing)):
        settings, http = settings_of(tmp_path, **variables), HttpClient("1")
        async with AsyncExitStack() as stack:
            found = open_observation(stack, settings, "worker", http)
            assert type(found.tracing) is kind
            assert found.keeps_traces is (found.http is not http) is (kind is OtelTracing)
            assert settings.is_observed is bool(variables)


def test_what_is_configured_and_not_installed_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(observation, "find_spec", lambda name: None)
    with pytest.raises(ConfigurationError) as refused:
        check_extras(settings_of(tmp_path, **URL, **DSN))
    assert "pip install 'genpulse[otel]'" in str(refused.value)
    assert "pip install 'genpulse[sentry]'" in str(refused.value)
    check_extras(settings_of(tmp_path))


@pytest.mark.parametrize("row", ENVIRONMENTS, ids=lambda row: row.name)
def test_a_process_says_what_it_is(tmp_path, row, monkeypatch):
    monkeypatch.setattr(
        observation, "read_build_info", lambda: Build("1.2.0", "0123456789abcdef", "tree", tag="v1.2.0")
    )
    settings = settings_of(tmp_path).model_copy(update={"environment": row})
    said = resource(settings, "worker")
    assert said["deployment.environment.name"] == row.name
    assert said["service.name"] == "genpulse-worker"
    assert said["service.version"] == "v1.2.0+0123456789"


@pytest.mark.parametrize(
    ("name", "value", "holds"),
    [
        ("TRACING__OTLP_URL", "http://localhost:4318", True),
        ("TRACING__OTLP_URL", "https://collector.example.com/otlp", True),
        ("TRACING__OTLP_URL", "localhost:4318", False),
        ("TRACING__OTLP_URL", "grpc://localhost:4317", False),
        ("TRACING__OTLP_URL", "https://user:secret@collector.example.com", False),
        ("TRACING__OTLP_URL", "https://collector.example.com/?key=secret", False),
        ("TRACING__SAMPLE", "0.1", True),
        ("TRACING__SAMPLE", "1.1", False),
        ("TRACING__SAMPLE", "-1", False),
        ("TRACING__SAMPLE", "nan", False),
        ("TRACING__HEADERS", "x-key=a%20b, x-team=c=d", True),
        ("TRACING__HEADERS", "no header", False),
        ("TRACING__HEADERS", "x-key=a b", False),
        ("SENTRY__DSN", "https://0123@o1.ingest.sentry.io/7", True),
        ("SENTRY__DSN", "https://0123@sentry.example.com/below/a/path/7", True),
        ("SENTRY__DSN", "https://o1.ingest.sentry.io/7", False),
        ("SENTRY__DSN", "https://0123@o1.ingest.sentry.io/", False),
    ],
)
def test_what_can_be_configured(tmp_path, name, value, holds):
    base = URL if name.startswith("TRACING") and not name.endswith("URL") else {}
    process = {"ENV": "dev", **base, f"GENPULSE_{name}": value}
    if holds:
        load(tmp_path, process, require=())
        return
    with pytest.raises(ConfigurationError) as refused:
        load(tmp_path, process, require=())
    assert name.lower().replace("__", ".") in str(refused.value)
    assert "secret" not in str(refused.value)


def test_headers_go_nowhere_without_a_collector(tmp_path):
    with pytest.raises(ConfigurationError, match=r"tracing\.headers"):
        load(tmp_path, {"ENV": "dev", "GENPULSE_TRACING__HEADERS": "x-key=y"}, require=())


def test_headers_are_read_as_they_were_meant():
    assert observation._headers("x-key=a%20b, x-team=c=d,") == {"x-key": "a b", "x-team": "c=d"}
