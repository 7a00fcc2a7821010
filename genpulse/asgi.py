"""The application factory of an ASGI server: `genpulse.asgi:create`."""

import os
from functools import partial
from importlib.metadata import version

from fastapi import FastAPI

from genpulse import config, log
from genpulse.api.app import create_app
from genpulse.api.door import Door
from genpulse.api.options import ApiOptions
from genpulse.configuration.settings import Settings
from genpulse.configuration.settings.doors import DoorsSection
from genpulse.console.door import console_doors
from genpulse.console.options import ConsoleOptions, ShownSetting
from genpulse.dialects.doors import open_doors
from genpulse.dialects.options import DialectOptions
from genpulse.environment.table import ENVIRONMENTS
from genpulse.wiring.catalogue import probe_provider
from genpulse.wiring.services import open_services


def create() -> FastAPI:
    """The application, from the configuration of this process.

    Raises `EnvironmentProblem`, `ConfigurationError`.
    """
    settings = config.load()
    log.configure(settings.log.level, settings.log.format, environment=settings.environment, process="api")
    options = ApiOptions(
        body_limit_bytes=settings.api.body_limit_bytes,
        upload_limit_bytes=settings.api.upload_limit_bytes,
        public_url=settings.api.public_url,
        version=version("genpulse"),
        asset_url_s=settings.api.asset_url_s,
        events_url_s=settings.api.events_url_s,
        cors_origins=frozenset(settings.api.origins),
        longest_wait_s=settings.api.longest_wait_s,
        connections_per_peer=settings.api.connections_per_peer,
        trusted_proxies=settings.api.trusted_proxies,
        traces_requests=settings.is_observed,
        api_key_prefixes={row.api_key_prefix: row.name for row in ENVIRONMENTS},
    )
    doors = (*open_doors(_dialects(settings.doors)), *_console(settings))
    return create_app(lambda: open_services(settings, process="api"), options, doors)


def _dialects(section: DoorsSection) -> DialectOptions:
    opened = {"replicate": section.replicate, "fal": section.fal, "openai": section.openai}
    wait_s = {
        "replicate": section.replicate_wait_s,
        "fal": section.fal_wait_s,
        "openai": section.openai_wait_s,
    }
    return DialectOptions(frozenset(name for name, is_open in opened.items() if is_open), wait_s, section.aliases)


def _console(settings: Settings) -> tuple[Door, ...]:
    if not settings.serves_console:
        return ()
    section = settings.console
    return console_doors(
        ConsoleOptions(
            urls=section.urls,
            hides_content=section.hide_content,
            asks_for_name=settings.environment.is_production,
            decided_by=settings.decided_by,
            settings=_shown_settings,
            probe=partial(probe_provider, settings),
        )
    )


def _shown_settings() -> tuple[ShownSetting, ...]:
    """What some layer sets, as the layers are now: this process has what they were when it began."""
    from genpulse.configuration.documents.explanation import explain_all  # what one page alone needs

    explanations = (one for one in explain_all(None, os.environ) if one.winner)
    return tuple(
        ShownSetting(
            one.key,
            str(one.value),
            one.winner,
            next((layer.place for layer in one.layers if layer.layer == one.winner), ""),
        )
        for one in explanations
    )
