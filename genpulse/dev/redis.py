"""A Valkey or Redis of our own: one data folder, one loopback port, one password."""

import asyncio
import os
import signal
from dataclasses import dataclass
from pathlib import Path

from genpulse.dev.binaries import redis_binary
from genpulse.dev.child import Command
from genpulse.dev.ports import LOOPBACK
from genpulse.dev.unprivileged import User, reachable_program, server_user, service_folder

NAME = "redis"


@dataclass(frozen=True, slots=True)
class Redis:
    """A server that is laid out and can be started. `durable` is switched off by tests alone."""

    folder: Path
    port: int
    password: str
    program: Path
    user: User | None
    durable: bool = True

    @classmethod
    def lay_out(cls, home: Path, port: int, password: str, *, durable: bool = True) -> "Redis":
        """Find the program and write its configuration. Raises `DevStackError`."""
        user = server_user()
        program = reachable_program(redis_binary().program, None, user)
        server = cls(service_folder(home, NAME, user), port, password, program, user, durable)
        server._configure()
        return server

    @property
    def url(self) -> str:
        """How to reach it."""
        return f"redis://:{self.password}@{LOOPBACK}:{self.port}/0"

    def command(self) -> Command:
        """How to start it."""
        return Command(
            NAME,
            [str(self.program), str(self._configuration)],
            {"PATH": os.defpath},
            self.folder,
            self.user,
            stop_signal=signal.SIGTERM,
            orphan_signal=signal.SIGTERM,
        )

    @property
    def _configuration(self) -> Path:
        return self.folder / "server.conf"

    def _configure(self) -> None:
        lines = (
            f"bind {LOOPBACK}",
            f"port {self.port}",
            f"dir {self.folder}",
            f"requirepass {self.password}",
            "daemonize no",
            'save ""',
            f"appendonly {'yes' if self.durable else 'no'}",
            "appendfsync everysec",
            "loglevel warning",
        )
        self._configuration.touch(mode=0o600)
        self._configuration.write_text("\n".join(lines) + "\n")
        if self.user:
            os.chown(self._configuration, self.user.uid, self.user.gid)

    async def is_ready(self) -> bool:
        """Whether it answers."""
        try:
            async with asyncio.timeout(2):
                reader, writer = await asyncio.open_connection(LOOPBACK, self.port)
                writer.write(f"AUTH {self.password}\r\nPING\r\n".encode())
                answers = [await reader.readline(), await reader.readline()]
                writer.close()
        except (OSError, TimeoutError):
            return False
        return answers == [b"+OK\r\n", b"+PONG\r\n"]
