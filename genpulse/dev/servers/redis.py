"""A Valkey or Redis of our own: one data folder, one loopback port, one password."""

import os
import signal
from dataclasses import dataclass
from pathlib import Path

from genpulse.dev.processes.child import Command
from genpulse.dev.processes.orphans import end_lost_servers
from genpulse.dev.processes.ports import LOOPBACK
from genpulse.dev.processes.unprivileged import User, reachable_program, server_user, service_folder
from genpulse.dev.servers.binaries import redis_binary
from genpulse.dev.servers.health_checks import exchange

NAME = "redis"
_OF_SAVES = ("Memory overcommit must be enabled",)
"""A warning about the memory of background saves: what is in this server is little, and may be lost."""


@dataclass(frozen=True, slots=True)
class Redis:
    """A server that is laid out and can be started. `durable` is switched off by tests alone."""

    folder: Path
    port: int
    password: str
    program: Path
    user: User | None
    durable: bool = True
    origin: str = ""

    @classmethod
    def lay_out(
        cls, home: Path, port: int, password: str, *, durable: bool = True, packages: bool = True
    ) -> "Redis":
        """Find the program and write its configuration. Raises `DevStackError`.

        Without `packages` only a program on PATH is taken.
        """
        user = server_user()
        binary = redis_binary(packages=packages)
        program = reachable_program(binary.program, (binary.program,), user)
        server = cls(service_folder(home, NAME, user), port, password, program, user, durable, binary.origin)
        if server._configuration.exists():
            end_lost_servers(program.name, server.folder, signal.SIGTERM)
        server._configure()
        return server

    @property
    def url(self) -> str:
        """The URL of the server."""
        return f"redis://:{self.password}@{LOOPBACK}:{self.port}/0"

    def command(self) -> Command:
        """The command that starts it."""
        return Command(
            NAME,
            [str(self.program), str(self._configuration)],
            {"PATH": os.defpath},
            self.folder,
            self.user,
            stop_signal=signal.SIGTERM,
            orphan_signal=signal.SIGTERM,
            unsaid=_OF_SAVES,
        )

    @property
    def _configuration(self) -> Path:
        return self.folder / "server.conf"

    def _configure(self) -> None:
        lines = (
            f"bind {LOOPBACK}",
            f"port {self.port}",
            f"dir {_quoted(str(self.folder))}",
            f"requirepass {_quoted(self.password)}",
            "daemonize no",
            'save ""',
            f"appendonly {'yes' if self.durable else 'no'}",
            "appendfsync everysec",
            "loglevel warning",
        )
        self._configuration.unlink(missing_ok=True)
        self._configuration.touch(mode=0o600)
        self._configuration.write_text("\n".join(lines) + "\n")
        if self.user:
            os.chown(self._configuration, self.user.uid, self.user.gid)

    async def is_ready(self) -> bool:
        """Whether it answers."""
        answers = await exchange(LOOPBACK, self.port, f"AUTH {self.password}\r\nPING\r\n", lines=2)
        return answers == ["+OK", "+PONG"]


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
