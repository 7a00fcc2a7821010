"""A PostgreSQL of our own: one data folder, one loopback port, one password."""

import asyncio
import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import psutil

from genpulse.dev.binaries import postgres_binaries
from genpulse.dev.child import Command
from genpulse.dev.errors import StartFailed
from genpulse.dev.ports import LOOPBACK
from genpulse.dev.unprivileged import User, reachable_program, server_user, service_folder

NAME = "postgres"
_DURABLE = ("fsync", "synchronous_commit", "full_page_writes")
_PLAIN = {"LC_ALL": "C", "PATH": os.defpath}


@dataclass(frozen=True, slots=True)
class Postgres:
    """A server that is laid out and can be started. `durable` is switched off by tests alone."""

    folder: Path
    port: int
    password: str
    programs: Path
    user: User | None
    durable: bool = True

    @classmethod
    def lay_out(cls, home: Path, port: int, password: str, *, durable: bool = True) -> "Postgres":
        """Find the programs and make the data folder, unless it is there. Raises `DevStackError`."""
        user = server_user()
        found = postgres_binaries()
        programs = reachable_program(found.folder / "postgres", found.root, user).parent
        server = cls(service_folder(home, NAME, user), port, password, programs, user, durable)
        if not (server.data / "PG_VERSION").exists():
            server._initialize()
        server._forget_lost_postmaster()
        return server

    @property
    def data(self) -> Path:
        """Where the database lies."""
        return self.folder / "data"

    @property
    def url(self) -> str:
        """How to reach it."""
        return f"postgresql://genpulse:{self.password}@{LOOPBACK}:{self.port}/genpulse"

    def command(self) -> Command:
        """How to start it."""
        options = {
            "unix_socket_directories": "",
            "shared_buffers": "64MB",
            "max_connections": "200",
            "log_line_prefix": "",
            "cluster_name": "genpulse",
            **({} if self.durable else dict.fromkeys(_DURABLE, "off")),
        }
        settings = [part for key, value in options.items() for part in ("-c", f"{key}={value}")]
        return Command(
            NAME,
            [
                str(self.programs / "postgres"),
                "-D",
                str(self.data),
                "-p",
                str(self.port),
                "-h",
                LOOPBACK,
                *settings,
            ],
            _PLAIN,
            self.folder,
            self.user,
            stop_signal=signal.SIGINT,
            orphan_signal=signal.SIGQUIT,
        )

    async def is_ready(self) -> bool:
        """Whether it answers; makes the database at the first time."""
        try:
            connection = await asyncpg.connect(self.url.rpartition("/")[0] + "/postgres", timeout=2)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncio.IncompleteReadError):
            return False
        try:
            there = await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = 'genpulse'")
            if not there:
                await connection.execute("CREATE DATABASE genpulse")
        finally:
            await connection.close()
        return True

    def _initialize(self) -> None:
        secret = self.folder / "password"
        secret.touch(mode=0o600)
        secret.write_text(self.password)
        if self.user:
            os.chown(secret, self.user.uid, self.user.gid)
        options = ["-A", "scram-sha-256", "-E", "UTF8", "--locale-provider=libc", "--locale=C", "--no-sync"]
        done = subprocess.run(
            [
                str(self.programs / "initdb"),
                "-D",
                str(self.data),
                "-U",
                "genpulse",
                f"--pwfile={secret}",
                *options,
            ],
            cwd=self.folder,
            env=_PLAIN,
            user=self.user.uid if self.user else None,
            group=self.user.gid if self.user else None,
            extra_groups=[] if self.user else None,
            capture_output=True,
            text=True,
            check=False,
        )
        secret.unlink()
        if done.returncode != 0:
            raise StartFailed(NAME, f"initdb ended with {done.returncode}", done.stderr.strip())

    def _forget_lost_postmaster(self) -> None:
        """Remove a lock file whose process is gone, and end a server that an earlier supervisor lost."""
        lock = self.data / "postmaster.pid"
        if not lock.exists():
            return
        try:
            process = psutil.Process(int(lock.read_text().split()[0]))
            if str(self.data) in process.cmdline():
                process.send_signal(signal.SIGQUIT)
                process.wait(5)
        except (psutil.Error, ValueError, IndexError):
            pass
        lock.unlink(missing_ok=True)
