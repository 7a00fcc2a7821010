"""What is told to others about this process: traces, and errors. Nothing of it is imported where it is off."""

import os
import socket
from contextlib import AsyncExitStack
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from urllib.parse import unquote

from genpulse.adapters.log_ids import LoggedIds
from genpulse.configuration.errors import ConfigurationError, Fault
from genpulse.configuration.settings import Settings
from genpulse.environment.build_info import read_build_info
from genpulse.ports.tracing import NO_TRACING, Tracing
from genpulse.provider.http import Http
from genpulse.wiring.connections import closed_by

_NAME = "genpulse"


@dataclass(frozen=True, slots=True)
class Observation:
    """What notes the steps of this process, and the client of vendors, as it notes them."""

    tracing: Tracing
    http: Http
    keeps_traces: bool = False


def open_observation(stack: AsyncExitStack, settings: Settings, process: str, http: Http) -> Observation:
    """Open what is configured, which the stack closes. Raises `ConfigurationError` where its extra is missing."""
    check_extras(settings)
    if settings.sentry.dsn is not None:
        _open_reports(stack, settings, settings.sentry.dsn.get_secret_value(), process)
    if settings.tracing.otlp_url is not None:
        return _open_traces(stack, settings, settings.tracing.otlp_url, process, http)
    return Observation(LoggedIds() if settings.is_observed else NO_TRACING, http)


def check_extras(settings: Settings) -> None:
    """Raises `ConfigurationError` for what is configured and not installed."""
    extras = (
        ("tracing.otlp_url", settings.tracing.otlp_url, "opentelemetry.exporter.otlp.proto.http", "otel"),
        ("sentry.dsn", settings.sentry.dsn, "sentry_sdk", "sentry"),
    )
    faults = [
        Fault(key, "", f"this needs the extra genpulse[{extra}]: pip install 'genpulse[{extra}]'")
        for key, value, module, extra in extras
        if value is not None and not _is_installed(module)
    ]
    if faults:
        raise ConfigurationError(settings.environment.dynaconf, faults)


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def _open_reports(stack: AsyncExitStack, settings: Settings, dsn: str, process: str) -> None:
    from genpulse.adapters.sentry.reports import ErrorReports

    closed_by(
        stack,
        ErrorReports(dsn, environment=settings.environment.name, release=f"{_NAME}@{release()}", process=process),
    )


def _open_traces(stack: AsyncExitStack, settings: Settings, url: str, process: str, http: Http) -> Observation:
    from genpulse.adapters.otel.export import Collector, Export

    section = settings.tracing
    export = closed_by(
        stack,
        Export(
            Collector(url, _headers(section.headers.get_secret_value() if section.headers else "")),
            resource(settings, process),
            version=version(_NAME),
            sample=section.sample,
            trusts_callers=section.trust_callers,
        ),
    )
    return Observation(export.tracing, export.traced(http), keeps_traces=True)


def resource(settings: Settings, process: str) -> dict[str, str]:
    """What this process is, in the names of OpenTelemetry's conventions."""
    return {
        "service.name": f"{_NAME}-{process}",
        "service.namespace": _NAME,
        "service.version": release(),
        "service.instance.id": f"{socket.gethostname()}:{os.getpid()}",
        "deployment.environment.name": settings.environment.name,
    }


def release() -> str:
    """The version that runs here: the tag and the commit of its build, where it has one."""
    build = read_build_info()
    return f"{build.tag or build.version}+{build.commit[:10]}" if build else version(_NAME)


def _headers(text: str) -> dict[str, str]:
    pairs = (one.strip().partition("=") for one in text.split(",") if one.strip())
    return {name: unquote(value) for name, _, value in pairs}
