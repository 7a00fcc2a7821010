"""A PgBouncer before a PostgreSQL of the tests, as its package leaves it but for what has to be said.

PGBOUNCER names another program than the one on PATH.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import unquote, urlsplit

from genpulse.dev.processes.ports import free_port
from genpulse.dev.processes.unprivileged import server_user
from tests.operations.tools import path_of

UP_S = 30.0


def program():
    """Raises `LookupError` where there is none."""
    return os.environ.get("PGBOUNCER") or path_of("pgbouncer")


def tracks_statements():
    """Whether it can keep account of prepared statements."""
    says = subprocess.run([program(), "--version"], capture_output=True, text=True, check=True).stdout
    return tuple(map(int, says.split()[1].split(".")[:2])) >= (1, 21)


class PgBouncer:
    """One that pools by `mode`, with `size` connections of PostgreSQL for a user and a database."""

    def __init__(self, postgres_url, mode, size, **settings):
        server = urlsplit(postgres_url)
        self._program = program()
        self._server = server
        self._port = free_port()
        self._user = server_user()
        self.folder = Path(tempfile.mkdtemp(prefix="genpulse-pgbouncer-"))
        password = unquote(server.password)
        users = self.folder / "users.txt"
        users.write_text(f'"{server.username}" "{password}"\n')
        lines = {
            "listen_addr": "127.0.0.1",
            "listen_port": self._port,
            "unix_socket_dir": "",
            "auth_type": "scram-sha-256",
            "auth_file": users,
            "admin_users": server.username,
            "pool_mode": mode,
            "default_pool_size": size,
            **settings,
        }
        self._ini = self.folder / "pgbouncer.ini"
        text = "\n".join(f"{name} = {value}" for name, value in lines.items())
        self._ini.write_text(f"[databases]\n* = host={server.hostname} port={server.port}\n[pgbouncer]\n{text}\n")
        if self._user:
            for path in (self.folder, *self.folder.iterdir()):
                os.chown(path, self._user.uid, self._user.gid)
        self.process = None

    @property
    def url(self):
        """The database's address, by way of it."""
        server = self._server
        return (
            f"postgresql://{server.username}:{server.password}@127.0.0.1:{self._port}{server.path}?sslmode=disable"
        )

    def start(self):
        with (self.folder / "log").open("a") as log:
            self.process = subprocess.Popen(
                [self._program, self._ini],
                stdout=log,
                stderr=log,
                user=self._user.uid if self._user else None,
                group=self._user.gid if self._user else None,
                extra_groups=[] if self._user else None,
            )
        deadline = time.monotonic() + UP_S
        while True:
            try:
                return socket.create_connection(("127.0.0.1", self._port), 1).close()
            except OSError:
                assert time.monotonic() < deadline, (self.folder / "log").read_text()
                time.sleep(0.02)

    def end(self, number=signal.SIGKILL):
        self.process.send_signal(number)
        self.process.wait(UP_S)

    def restart(self):
        """As a machine that loses it: all connections of both sides are cut."""
        self.end()
        self.start()

    def close(self):
        if self.process.poll() is None:
            self.end()
        shutil.rmtree(self.folder, ignore_errors=True)
