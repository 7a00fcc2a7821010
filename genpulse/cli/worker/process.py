"""What `genpulse worker` does: open all services, and work until it is told to stop."""

import logging
import os
from dataclasses import replace

import uvloop

from genpulse import config, log
from genpulse.api.auth.signed_urls import LazyUrlSigner
from genpulse.api.schemas.links import Links
from genpulse.api.schemas.tasks.documents import TaskDocument
from genpulse.background.contained_tasks import ContainedTasks
from genpulse.cli.errors import CommandRefused
from genpulse.cli.stack import settings_for_servers
from genpulse.configuration.settings import Settings
from genpulse.configuration.sources.variables import variable_name
from genpulse.dialects.options import DialectOptions
from genpulse.dialects.replicate.webhook_form import LinksAtHand
from genpulse.dialects.webhook_forms import webhook_forms
from genpulse.domain.json.value import JsonObject
from genpulse.domain.task import Task
from genpulse.lifecycle.webhooks.forms import Describe
from genpulse.ports import Services
from genpulse.wiring.database import check_database
from genpulse.wiring.observation import check_extras
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
    check_extras(settings)
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


def links_at_hand(settings: Settings, services: Services) -> LinksAtHand:
    """The addresses that webhooks carry."""
    signing = LazyUrlSigner()

    async def links() -> Links:
        signer = await signing.fill(services, settings.api.asset_url_s, settings.api.events_url_s)
        now_s = services.now().timestamp()
        return Links(
            settings.api_url,
            lambda asset_id: signer.query(asset_id, now_s),
            lambda task_id: signer.events_query(task_id, now_s),
            services.thumbnails is not None,
        )

    return links


def describer(links: LinksAtHand) -> Describe:
    """Tasks as the API of this environment shows them, for webhooks: the address of events is not signed."""

    async def describe(task: Task) -> JsonObject:
        shown = replace(await links(), signed_events=None)
        document: JsonObject = TaskDocument.of(task, shown).model_dump(mode="json")
        return document

    return describe


async def _work(settings: Settings, concurrency: int | None, names: tuple[str, ...] | None) -> None:
    await check_database(settings)
    config.check_worker(settings)
    async with open_services(settings, process="worker") as services:
        available = services.catalogue.providers()
        if unknown := sorted(set(names or ()) - set(available)):
            raise CommandRefused(f"There is no provider {', '.join(unknown)}; there is {', '.join(available)}.")
        links = links_at_hand(settings, services)
        options = WorkerOptions(
            concurrency=concurrency or settings.worker.concurrency,
            batch=settings.worker.batch,
            lease_s=settings.worker.lease_s,
            grace_s=settings.worker.grace_s,
            stop_s=settings.worker.stop_s,
            providers=names,
            prune_every_s=settings.retention.every_s,
            describe=describer(links),
            webhook_forms=webhook_forms(DialectOptions(aliases=settings.doors.aliases), services, links),
            health_file=settings.root / path if (path := settings.worker.health_file) else None,
            stuck_s=max(STUCK_S, _STATEMENTS * settings.database.statement_timeout_s),
        )
        await run(services, options)
    _end_despite(services.contained_tasks)


def _end_despite(tasks: ContainedTasks) -> None:
    """End the process now where a plug-in's request goes on whatever it is told: the event loop would wait."""
    if count := len(tasks.left):
        _log.warning("%d requests of plug-ins go on although they were cut off, and end with this process", count)
        logging.shutdown()
        os._exit(os.EX_OK)
