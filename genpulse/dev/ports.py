"""Ports on the loopback address: free ones, and who has the others."""

import socket

import psutil

from genpulse.dev.errors import PortBusy

LOOPBACK = "127.0.0.1"


def free_port(wanted: int | None = None) -> int:
    """The wanted port when it is free, else another one."""
    if wanted is not None and is_free(wanted):
        return wanted
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether somebody could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def claim(port: int, host: str = LOOPBACK) -> int:
    """The port itself. Raises `PortBusy`, naming who has it."""
    if not is_free(port, host):
        raise PortBusy(port, owner_of(port))
    return port


def owner_of(port: int) -> str:
    """The name and the number of the process that listens there, as far as we may see it."""
    try:
        listening = [
            connection
            for connection in psutil.net_connections("tcp")
            if connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port
        ]
    except psutil.AccessDenied:
        listening = []
    for connection in listening:
        if connection.pid:
            return f"{_name_of(connection.pid)} (pid {connection.pid})"
    return "another process, which this user may not see"


def _name_of(pid: int) -> str:
    try:
        return str(psutil.Process(pid).name())
    except psutil.Error:
        return "a process"
