"""A Redis with a replica, and Sentinels that put it in its place."""

import secrets
import time
from contextlib import suppress
from pathlib import Path

from redis import Redis as Client
from redis.exceptions import RedisError

from genpulse.dev.processes.child import Child, Command, Guard
from genpulse.dev.processes.ports import LOOPBACK, free_port
from genpulse.dev.servers.binaries import redis_binary

UP_S = 60.0
COUNT = 3


class Sentinels:
    """Looks like one Redis: `url` is that of the primary of now, `client_url` names the Sentinels."""

    def __init__(self, home: Path, guard: Guard) -> None:
        self._home, self._guard = home, guard
        self._password = secrets.token_hex(8)
        first, second = free_port(), free_port()
        login = (f"requirepass {self._password}", f"masterauth {self._password}")
        self._servers = {
            first: self._start("first", first, *login),
            second: self._start("second", second, *login, f"replicaof {LOOPBACK} {first}"),
        }
        self._ports = [free_port() for _ in range(COUNT)]
        watch = (
            f"sentinel monitor main {LOOPBACK} {first} {COUNT // 2 + 1}",
            f"sentinel auth-pass main {self._password}",
            "sentinel down-after-milliseconds main 1000",
            "sentinel failover-timeout main 5000",
        )
        self._sentinels = [
            self._start(f"sentinel-{port}", port, *watch, more=("--sentinel",)) for port in self._ports
        ]
        self._until(lambda: self._knows("REPLICAS") == 1 and self._knows("SENTINELS") == COUNT - 1)

    def _start(self, name: str, port: int, *lines: str, more: tuple[str, ...] = ()) -> Child:
        folder = self._home / name
        folder.mkdir()
        common = [f"port {port}", f"bind {LOOPBACK}", f"dir {folder}"]
        if not more:
            common += ["save ''", "protected-mode no"]
        file = folder / "server.conf"
        file.write_text("\n".join([*common, *lines]) + "\n")
        command = Command(name, [str(redis_binary().program), str(file), *more], {}, folder)
        return Child(command, self._guard, lambda _name, _line: None)

    def _until(self, holds) -> None:
        deadline = time.monotonic() + UP_S
        while True:
            with suppress(RedisError, OSError):
                if holds():
                    return
            assert time.monotonic() < deadline, "the Sentinels do not come up"
            time.sleep(0.05)

    def _sentinel(self) -> Client:
        return Client(port=self._ports[0], decode_responses=True, socket_timeout=2)

    def _knows(self, what: str) -> int:
        with self._sentinel() as client:
            return len(client.execute_command("SENTINEL", what, "main"))

    @property
    def _primary(self) -> int:
        with self._sentinel() as client:
            return int(client.execute_command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "main")[1])

    @property
    def url(self) -> str:
        return f"redis://:{self._password}@{LOOPBACK}:{self._primary}/0"

    @property
    def client_url(self) -> str:
        hosts = ",".join(f"{LOOPBACK}:{port}" for port in self._ports)
        return f"redis+sentinel://:{self._password}@{hosts}/main/0"

    def kill_primary(self) -> float:
        """The primary is gone; returns the moment at which the Sentinels name another."""
        gone = self._primary
        self._servers[gone].stop(patience_s=0)
        self._until(lambda: self._primary != gone)
        return time.time()

    def stop(self) -> None:
        for child in (*self._sentinels, *self._servers.values()):
            if child.exit_code is None:
                child.stop(patience_s=1)
