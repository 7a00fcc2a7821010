"""A PostgreSQL with a standby that streams from it, and takes its place."""

import dataclasses
import os
import secrets
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import asyncpg
import psutil

from genpulse.dev.processes.child import Child, Guard
from genpulse.dev.processes.ports import LOOPBACK, free_port
from genpulse.dev.processes.unprivileged import service_folder
from genpulse.dev.servers.postgres import Postgres
from tests.servers import TestServer, finished

UP_S = 60.0
_IN_STEP = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = $1 AND state = 'streaming'"


class PostgresPair:
    """Looks like one server. `synchronous`: what is committed is on both."""

    def __init__(self, home: Path, guard: Guard, *, synchronous: bool = True) -> None:
        self._synchronous = synchronous
        laid_out = Postgres.lay_out(home, free_port(), secrets.token_urlsafe(12))
        self._first = TestServer(laid_out, guard)
        self._first.start()
        folder = service_folder(home, "standby", laid_out.user)
        standby = dataclasses.replace(laid_out, folder=folder, port=free_port())
        self._copy(laid_out, standby)
        self._second = TestServer(standby, guard)
        self._second.start()
        hosts = f"{LOOPBACK}:{laid_out.port},{LOOPBACK}:{standby.port}"
        self.url = (
            f"postgresql://genpulse:{laid_out.password}@{hosts}/genpulse"
            "?sslmode=disable&target_session_attrs=read-write"
        )
        finished(self._joined())

    def _copy(self, primary: Postgres, standby: Postgres) -> None:
        user = standby.user
        subprocess.run(
            [
                *(str(primary.programs / "pg_basebackup"), "-h", LOOPBACK, "-p", str(primary.port)),
                *("-U", "genpulse", "-D", str(standby.data), "-R", "-X", "stream", "-c", "fast", "--no-sync"),
            ],
            env={"PGPASSWORD": primary.password, "PATH": os.defpath, "LC_ALL": "C"},
            user=user.uid if user else None,
            group=user.gid if user else None,
            extra_groups=[] if user else None,
            cwd=standby.folder,
            check=True,
            timeout=UP_S,
        )

    async def _joined(self) -> None:
        """Until the standby streams, and is waited for where that is wanted."""
        connection = await asyncpg.connect(self._first.url)
        if self._synchronous:
            await connection.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
            await connection.execute("SELECT pg_reload_conf()")
        deadline = time.monotonic() + UP_S
        while not await connection.fetchval(_IN_STEP, "sync" if self._synchronous else "async"):
            assert time.monotonic() < deadline, "the standby does not stream"
        await connection.close()

    @property
    def child(self) -> Child:
        return self._first.child

    def stop(self) -> None:
        for server in (self._first, self._second):
            if server.child.exit_code is None:
                server.stop()

    def crash(self) -> None:
        """The primary is gone, as a machine without power."""
        for process in _family(self._first.child.pid):
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self._first.kill()

    def shut_down(self) -> None:
        """The primary ends in order, and has handed all on."""
        self._first.stop()

    def promote(self) -> None:
        """Let the standby take its place."""
        finished(self._promoted())

    async def _promoted(self) -> None:
        connection = await asyncpg.connect(self._second.url)
        assert await connection.fetchval("SELECT pg_promote(true, 60)")
        await connection.close()

    def hold_stream(self) -> None:
        """The primary sends nothing to its standby from now on, as into a network that is down."""
        senders = [each for each in _family(self._first.child.pid) if "walsender" in " ".join(each.cmdline())]
        assert senders, "nothing streams"
        for sender in senders:
            sender.send_signal(signal.SIGSTOP)


def _family(pid: int) -> list[psutil.Process]:
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]
