"""`genpulse api`: the HTTP API, as a process of its own."""

import asyncio
from contextlib import suppress

import click
import uvicorn

from genpulse.api.server.connections_per_peer import take_descriptors
from genpulse.api.server.draining_server import DrainingServer
from genpulse.cli.stack import settings_for_servers
from genpulse.wiring.database import check_database
from genpulse.wiring.routes import check_models

_START_FAILED = 3


@click.command("api")
@click.option("--host", help="Address to listen on. Default: api.host.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on. Default: api.port.")
def command(host: str | None, port: int | None) -> None:
    """The HTTP API, as a process of its own.

    Any number of them may run, on any host, against the same PostgreSQL and Redis.
    """
    settings = settings_for_servers()
    check_models(settings)
    asyncio.run(check_database(settings))
    config = uvicorn.Config(
        "genpulse.asgi:create",
        factory=True,
        host=host or settings.api.host,
        port=port or settings.api.port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=settings.api.grace_s,
        server_header=False,
        lifespan="on",
        http="genpulse.api.server.uvicorn_protocol:GatheringProtocol",
        ws="none",
        timeout_keep_alive=settings.api.keep_alive_s,
        forwarded_allow_ips=settings.api.trusted_proxies,
    )
    take_descriptors()
    server = DrainingServer(config, settings.drain_s)
    with suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        raise SystemExit(_START_FAILED)
