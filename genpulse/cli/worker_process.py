"""What `genpulse worker` does: open all services, and work until it is told to stop."""

import logging
from collections.abc import Mapping

import uvloop

from genpulse import config, log
from genpulse.api.auth.signed_urls import LazyUrlSigner
from genpulse.api.schemas.documents import TaskDocument
from genpulse.api.schemas.links import Links
from genpulse.cli.errors import CommandRefused
from genpulse.cli.stack import settings_for_servers
from genpulse.configuration.settings import Settings
from genpulse.configuration.sources.variables import variable_name
from genpulse.domain.json.value import JsonObject
from genpulse.domain.task import Task
from genpulse.lifecycle.webhooks.forms import Describe, WebhookForm
from genpulse.ports import Services
from genpulse.wiring.database import check_database
from genpulse.wiring.routes import check_models
from genpulse.wiring.services import open_services
from genpulse.worker.options import WorkerOptions
from genpulse.worker.process import run

STUCK_S = 300.0
"""Seconds after which a step of the worker is stuck, where no statement may take as long."""
_STATEMENTS = 4
"""So many statements, each with a connection to wait for, may follow one another in a step."""

_log = logging.getLogger(__name__)


def run_worker(concurrency: int | None, providers: str | None) -> None:
    """Work for these providers, names with commas, until SIGTERM; with None for all."""
    settings = settings_for_servers()
    log.configure(settings.log.level, settings.log.format, environment=settings.environment, process="worker")
    names = tuple(name.strip() for name in providers.split(",")) if providers else None
    check_models(settings)
    _warn_of_address(settings)
    uvloop.run(_work(settings, concurrency, names))


def _warn_of_address(settings: Settings) -> None:
    """Where others are meant to reach the API, and messages do not tell them how."""
    if settings.api.public_url is None and (
        settings.listens_everywhere or not settings.environment.spawns_services
    ):
        _log.warning(
            "api.public_url is empty: webhooks name %s, which this machine alone can reach. Set %s to how clients"
            " reach the API.",
            settings.api_url,
            variable_name("api.public_url"),
        )


def _describer(settings: Settings, services: Services) -> Describe:
    """Tasks as the API of this environment shows them, for webhooks."""
    signing = LazyUrlSigner()

    async def describe(task: Task) -> JsonObject:
        signer, now_s = await signing.fill(services, settings.api.asset_url_s), services.now().timestamp()
        links = Links(
            settings.api_url,
            lambda asset_id: signer.query(asset_id, now_s),
            has_thumbnails=services.thumbnails is not None,
        )
        document: JsonObject = TaskDocument.of(task, links).model_dump(mode="json")
        return document

    return describe


def _webhook_forms() -> Mapping[str, WebhookForm]:
    """The forms beside our own that orders may name."""
    return {}


async def _work(settings: Settings, concurrency: int | None, names: tuple[str, ...] | None) -> None:
    await check_database(settings)
    config.check_worker(settings)
    async with open_services(settings, process="worker") as services:
        available = services.catalogue.providers()
        if unknown := sorted(set(names or ()) - set(available)):
            raise CommandRefused(f"There is no provider {', '.join(unknown)}; there is {', '.join(available)}.")
        options = WorkerOptions(
            concurrency=concurrency or settings.worker.concurrency,
            batch=settings.worker.batch,
            lease_s=settings.worker.lease_s,
            grace_s=settings.worker.grace_s,
            stop_s=settings.worker.stop_s,
            providers=names,
            prune_every_s=settings.retention.every_s,
            describe=_describer(settings, services),
            webhook_forms=_webhook_forms(),
            health_file=settings.root / path if (path := settings.worker.health_file) else None,
            stuck_s=max(STUCK_S, _STATEMENTS * settings.database.statement_timeout_s),
        )
        await run(services, options)
