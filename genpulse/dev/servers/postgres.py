"""A PostgreSQL of our own: one data folder, one loopback port, one password."""

import os
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import psutil

from genpulse.dev.errors import DataOfAnother, StartFailed
from genpulse.dev.processes.child import Command, dies_with_us
from genpulse.dev.processes.orphans import end_lost_servers
from genpulse.dev.processes.ports import LOOPBACK
from genpulse.dev.processes.unprivileged import User, check_name, reachable_program, server_user, service_folder
from genpulse.dev.servers.binaries import major_version, postgres_binaries

NAME = "postgres"
_FORGETFUL = {
    **dict.fromkeys(("fsync", "synchronous_commit", "full_page_writes", "autovacuum"), "off"),
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "128MB",  # their data may lie in memory
}
_PLAIN = {"LC_ALL": "C", "PATH": os.defpath}
_TO_OUR_OWN_QUESTION = ("the database system is starting up",)
"""The answer to `is_ready`, which asks from the first moment on."""


@dataclass(frozen=True, slots=True)
class Postgres:
    """A server that is laid out and can be started. `durable` is switched off by tests alone."""

    folder: Path
    port: int
    password: str
    programs: Path
    user: User | None
    durable: bool = True
    origin: str = ""

    @classmethod
    def lay_out(
        cls, home: Path, port: int, password: str, *, durable: bool = True, packages: bool = True
    ) -> "Postgres":
        """Find the programs and make the data folder, unless it is there. Raises `DevStackError`.

        Without `packages` only programs on PATH are taken.
        """
        user = server_user()
        check_name(user)
        binaries = postgres_binaries(packages=packages)
        programs = reachable_program(binaries.folder / "postgres", binaries.parts, user).parent
        folder = service_folder(home, NAME, user)
        server = cls(folder, port, password, programs, user, durable, binaries.origin)
        if server.data.exists():
            server._check_version()
            server._forget_lost_postmaster()
        else:
            server._initialize()
        return server

    @property
    def data(self) -> Path:
        """Where the database lies."""
        return self.folder / "data"

    @property
    def url(self) -> str:
        """The URL of the database."""
        return self._url("genpulse")

    def _url(self, database: str) -> str:
        """Without TLS on loopback, the client does not look for keys in a home that may be closed to it."""
        return f"postgresql://genpulse:{self.password}@{LOOPBACK}:{self.port}/{database}?sslmode=disable"

    def command(self) -> Command:
        """The command that starts it."""
        options = {
            "unix_socket_directories": "",
            "shared_buffers": "64MB",
            "max_connections": "200",
            "log_line_prefix": "",
            "cluster_name": "genpulse",
            **({} if self.durable else _FORGETFUL),
        }
        settings = [part for key, value in options.items() for part in ("-c", f"{key}={value}")]
        place = ["-D", str(self.data), "-p", str(self.port), "-h", LOOPBACK]
        return Command(
            NAME,
            [str(self.programs / "postgres"), *place, *settings],
            _PLAIN,
            self.folder,
            self.user,
            stop_signal=signal.SIGINT,
            orphan_signal=signal.SIGQUIT,
            unsaid=_TO_OUR_OWN_QUESTION,
        )

    async def is_ready(self) -> bool:
        """Whether it answers; makes the database at the first time. Raises `StartFailed` on a wrong password."""
        try:
            connection = await asyncpg.connect(self._url("postgres"), timeout=2)
        except (asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError) as error:
            raise StartFailed(
                NAME, f"what listens at port {self.port} refuses the password that is kept here", str(error)
            ) from error
        except (OSError, TimeoutError, EOFError, asyncpg.PostgresError):
            return False
        try:
            there = await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = 'genpulse'")
            if not there:
                await connection.execute("CREATE DATABASE genpulse")
        finally:
            await connection.close()
        return True

    def _initialize(self) -> None:
        """Make the data beside its place and move it there, so that what is there is complete."""
        part, secret = self.folder / "data.part", self.folder / "password"
        shutil.rmtree(part, ignore_errors=True)
        secret.unlink(missing_ok=True)
        secret.touch(mode=0o600)
        secret.write_text(self.password)
        if self.user:
            os.chown(secret, self.user.uid, self.user.gid)
        process = self._initdb(part, secret)
        secret.unlink()
        if process.returncode != 0:
            shutil.rmtree(part, ignore_errors=True)
            raise StartFailed(NAME, f"initdb ended with {process.returncode}", process.stderr.strip())
        part.rename(self.data)

    def _initdb(self, data: Path, secret: Path) -> "subprocess.CompletedProcess[str]":
        options = ["-A", "scram-sha-256", "-U", "genpulse", f"--pwfile={secret}", "-E", "UTF8", "--locale=C"]
        return subprocess.run(
            [str(self.programs / "initdb"), "-D", str(data), *options, "--no-sync"],
            cwd=self.folder,
            env=_PLAIN,
            user=self.user.uid if self.user else None,
            group=self.user.gid if self.user else None,
            extra_groups=[] if self.user else None,
            preexec_fn=dies_with_us(signal.SIGTERM),
            capture_output=True,
            text=True,
            check=False,
        )

    def _check_version(self) -> None:
        """Raises `DataOfAnother` when the program is not of the version that made the data."""
        made_by = (self.data / "PG_VERSION").read_text().strip()
        program = self.programs / "postgres"
        version = major_version(program)
        if made_by != str(version):
            raise DataOfAnother(self.data, made_by, program, version)

    def _forget_lost_postmaster(self) -> None:
        """End a server that an earlier supervisor lost. A lock file goes whose number another process has now.

        PostgreSQL itself sees to a lock file whose number nobody has: it then looks for backends still at work.
        """
        lock = self.data / "postmaster.pid"
        if not lock.exists():
            return
        end_lost_servers(NAME, self.data, signal.SIGQUIT)
        first = lock.read_text().partition("\n")[0] if lock.exists() else ""
        if first.isdecimal() and psutil.pid_exists(int(first)):
            lock.unlink(missing_ok=True)
