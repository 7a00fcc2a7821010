"""`genpulse api`: the HTTP API, as a process of its own."""

import asyncio

import click
import uvicorn

from genpulse.cli.stack import settings_for_servers
from genpulse.wiring import check_database


@click.command("api")
@click.option("--host", help="Address to listen on. Default: api.host.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on. Default: api.port.")
def command(host: str | None, port: int | None) -> None:
    """The HTTP API, as a process of its own.

    Any number of them may run, on any host, against the same PostgreSQL and Redis.
    """
    settings = settings_for_servers()
    asyncio.run(check_database(settings))
    uvicorn.run(
        "genpulse.asgi:create",
        factory=True,
        host=host or settings.api.host,
        port=port or settings.api.port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=settings.api.grace_s,
        server_header=False,
        lifespan="on",
        http="genpulse.api.protocol:GatheringProtocol",
    )
