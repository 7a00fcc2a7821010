"""Ports: free ones, and who has the others."""

import contextlib
import errno
import secrets
import socket

from genpulse.dev.errors import PortBusy, PortRefused

LOOPBACK = "127.0.0.1"
_HIGHEST = 65535
_NOT_HANDED_OUT = range(20_000, 32_000)
"""Below the ports that systems hand out to connections (32768 and up on Linux, 49152 and up elsewhere)."""


def free_port(preferred: int | None = None, *, but: int | None = None) -> int:
    """The wanted port of the loopback address when it is free, else another one; never `but`.

    No connection is given such a port by chance: it stays free until a server listens there and while it restarts.
    """
    if preferred is not None and preferred != but and is_free(preferred):
        return preferred
    while True:
        port = secrets.choice(_NOT_HANDED_OUT)
        if port != but and is_free(port):
            return port


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether somebody could listen there now."""
    try:
        _listen_a_moment(port, host)
    except OSError:
        return False
    return True


def _listen_a_moment(port: int, host: str) -> None:
    for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        try:
            probe = socket.socket(family, kind, protocol)
        except OSError:
            continue  # a family that this system does not have, which servers leave out as well
        with probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)


def claim(port: int, host: str = LOOPBACK, *, command: str, host_by: str = "") -> int:
    """The port itself. Raises `PortBusy`, naming who has it, or `PortRefused`; both propose the `command` again.

    `host_by` says by what the host is chosen, where that can be done.
    """
    try:
        _listen_a_moment(port, host)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortBusy(port, owner_of(port), _next_free(port, host), command) from error
        raise PortRefused(host, port, error.strerror or str(error), command, host_by) from error
    return port


def _next_free(port: int, host: str) -> int:
    return next((other for other in range(port + 1, _HIGHEST + 1) if is_free(other, host)), free_port())


def owner_of(port: int) -> str:
    """The name and the number of the process that listens there, as far as we may see it."""
    import psutil  # which only a busy port needs

    listening = []
    with contextlib.suppress(psutil.AccessDenied):
        listening = psutil.net_connections("tcp")
    for connection in listening:
        here = connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port
        if here and connection.pid:
            name = "a process"
            with contextlib.suppress(psutil.Error):
                name = str(psutil.Process(connection.pid).name())
            return f"{name} (pid {connection.pid})"
    return "another process, which this user may not see"
