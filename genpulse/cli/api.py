"""`genpulse api`: the HTTP API, as a process of its own."""

import asyncio
from contextlib import suppress
from pathlib import Path

import click

from genpulse.api.server import uvicorn
from genpulse.api.server.connections_per_peer import take_descriptors
from genpulse.api.server.draining_server import DrainingServer
from genpulse.cli.stack import settings_for_servers
from genpulse.configuration.settings import Settings
from genpulse.dev.processes.ports import claim
from genpulse.wiring.database import check_database
from genpulse.wiring.observation import check_extras
from genpulse.wiring.routes import check_models
from genpulse.wiring.storage import asset_storage

_START_FAILED = 3
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("api")
@click.option("--host", help="Address to listen on. Default: api.host.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on. Default: api.port.")
@click.option("--certificate", type=_FILE, help="Speak https, with this certificate and what is above it (PEM).")
@click.option("--private-key", type=_FILE, help="The certificate's private key (PEM).")
def command(host: str | None, port: int | None, certificate: Path | None, private_key: Path | None) -> None:
    """The HTTP API, as a process of its own.

    Any number of them may run, on any host, against the same PostgreSQL and Redis.
    """
    if (certificate is None) != (private_key is None):
        raise click.UsageError("--certificate and --private-key belong together: give both, or none.")
    settings = settings_for_servers()
    check_models(settings)
    check_extras(settings)
    host, port = host or settings.api.host, port or settings.api.port
    claim(port, host, command="genpulse api", host_by="--host or api.host")
    asyncio.run(_check_services(settings))
    config = uvicorn.Config(
        "genpulse.asgi:create",
        factory=True,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=settings.api.grace_s,
        server_header=False,
        lifespan="on",
        http="genpulse.api.server.uvicorn_protocol:GatheringProtocol",
        ws="none",
        timeout_keep_alive=settings.api.keep_alive_s,
        forwarded_allow_ips=settings.api.trusted_proxies,
        ssl_certfile=certificate,
        ssl_keyfile=private_key,
    )
    take_descriptors()
    server = DrainingServer(config, settings.drain_s)
    with suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        raise SystemExit(_START_FAILED)


async def _check_services(settings: Settings) -> None:
    """What would keep the API from starting, said in one sentence. Raises `GenPulseError`."""
    await check_database(settings)
    await asset_storage(settings).close()
