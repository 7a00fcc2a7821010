"""The whole stack: PostgreSQL and Redis, then the migrations, then API and worker."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from genpulse.dev.home import open_home
from genpulse.dev.plan import StackPlan, TlsPlan
from genpulse.dev.processes.child import Command, Guard
from genpulse.dev.processes.ports import LOOPBACK, claim, free_port
from genpulse.dev.processes.stack_lock import stack_lock
from genpulse.dev.processes.supervisor import STACK, Hear, Service, Supervisor
from genpulse.dev.servers.comfyui import NAME as COMFYUI
from genpulse.dev.servers.comfyui import START_S, ComfyUI
from genpulse.dev.servers.health_checks import answers_ok
from genpulse.dev.servers.running import POSTGRES, REDIS, Servers, running_servers
from genpulse.dev.state import DevState, born, remove_state, write_state

API, API_TLS, WORKER = "api", "api-tls", "worker"
USUAL_TLS_PORT = 8443
_WORKER_READY = "worker ready"
_EVERYWHERE = {"0.0.0.0": LOOPBACK, "::": "::1", "": LOOPBACK}


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack that is up."""

    state: DevState
    supervisor: Supervisor
    guard: Guard

    @property
    def api_url(self) -> str:
        """Where the API answers."""
        return self.state.api_url

    async def watch_over(self) -> int:
        """Keep it up until a part of it ends too often; returns that part's exit code."""
        return await self.supervisor.watch_over()

    async def reload(self) -> None:
        """Start api and worker again, since their code has changed."""
        await self.supervisor.restart((API, API_TLS, WORKER))


@asynccontextmanager
async def running_stack(plan: StackPlan, hear: Hear) -> AsyncIterator[Stack]:
    """Bring everything up, and take it down after the body. Raises `DevStackError`.

    To be used in the main thread: the processes end with the thread that started them.
    """
    open_home(plan.home)
    with stack_lock(plan.home):
        port = _claim(plan.api_port, plan) if plan.api_port else free_port()
        comfyui = ComfyUI.lay_out(plan.comfyui) if plan.comfyui else None
        guard = Guard()
        supervisor = Supervisor(guard, hear)
        try:
            async with running_servers(plan, supervisor, hear) as servers, _processes(supervisor):
                if comfyui is not None:
                    extra = comfyui.command(plan.environment)
                    supervisor.add(Service(extra, comfyui.is_ready, START_S, needed=False))
                stack = await _up(_knowing(plan, comfyui), port, servers, supervisor, guard)
                write_state(plan.home, stack.state)
                yield stack
        finally:
            remove_state(plan.home)
            await asyncio.to_thread(guard.close)


@asynccontextmanager
async def _processes(supervisor: Supervisor) -> AsyncIterator[None]:
    """API and worker end before the servers do."""
    try:
        yield
    finally:
        await asyncio.shield(supervisor.stop((API, API_TLS, WORKER, COMFYUI)))


async def _up(plan: StackPlan, port: int, servers: Servers, supervisor: Supervisor, guard: Guard) -> Stack:
    postgres, redis = servers[POSTGRES], servers[REDIS]
    api_url = f"http://{_reachable(plan.api_host)}:{port}"
    environment = {
        **plan.environment,
        "GENPULSE_DATABASE_URL": postgres.url,
        "GENPULSE_REDIS__URL": redis.url,
        "GENPULSE_API__HOST": plan.api_host,
        "GENPULSE_API__PORT": str(port),
        "PYTHONUNBUFFERED": "1",
    }

    def command(name: str, *verb: str, announcement: str | None = None) -> Command:
        arguments = [plan.python, "-m", "genpulse", *verb]
        return Command(name, arguments, environment, plan.folder, announcement=announcement)

    await supervisor.run_once(command(STACK, "db", "upgrade"))
    services = [
        Service(command(API, "api"), lambda: answers_ok(f"{api_url}/readyz")),
        Service(command(WORKER, "worker", announcement=_WORKER_READY)),
    ]
    https_url, ca_file = "", ""
    if plan.tls is not None:
        from genpulse.dev.tls.certificates import tls_files  # an authority costs a tenth of a second

        tls_port, files = _tls_port(plan, plan.tls), tls_files(plan.home)
        https_url, ca_file = f"https://{_named(plan.api_host)}:{tls_port}", str(files.bundle)
        words = ("--port", str(tls_port), "--certificate", str(files.certificate), "--private-key", str(files.key))
        services.append(
            Service(command(API_TLS, "api", *words), lambda: answers_ok(f"{https_url}/readyz", ca_file))
        )
    await supervisor.start(*services)
    pid = os.getpid()
    began = born(pid) or 0.0
    origins = (postgres.origin, redis.origin)
    state = DevState(pid, began, api_url, postgres.url, redis.url, *origins, https_url, ca_file)
    return Stack(state, supervisor, guard)


def _tls_port(plan: StackPlan, tls: TlsPlan) -> int:
    """Raises `PortBusy`, `PortRefused` where the one that was asked for cannot be had."""
    return _claim(tls.port, plan) if tls.port else free_port(USUAL_TLS_PORT)


def _claim(port: int, plan: StackPlan) -> int:
    """Raises `PortBusy`, `PortRefused`."""
    return claim(port, plan.api_host, command="genpulse dev", host_by="GENPULSE_API__HOST")


def _named(host: str) -> str:
    """`localhost` where that leads to it: clients say it, and certificates carry it."""
    return "localhost" if _reachable(host) == LOOPBACK else _reachable(host)


def _knowing(plan: StackPlan, comfyui: ComfyUI | None) -> StackPlan:
    """The plan with the address of ComfyUI in the environment of api and worker."""
    if comfyui is None:
        return plan
    where = {"GENPULSE_PROVIDERS__COMFYUI__BASE_URL": comfyui.url}
    return replace(plan, environment={**plan.environment, **where})


def _reachable(host: str) -> str:
    """A host by which a server that listens there is reached from this machine, as it is written in a URL."""
    host = _EVERYWHERE.get(host, host)
    return f"[{host}]" if ":" in host else host
