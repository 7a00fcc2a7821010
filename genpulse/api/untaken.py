"""Bytes of an answer that a client has not taken yet, wherever they lie."""

import asyncio
import fcntl
import socket
import struct
import sys
import termios

_SO_NWRITE = 0x1024
"""Of macOS (sys/socket.h)."""
_INT = struct.Struct("i")


def untaken_bytes(transport: asyncio.Transport) -> int:
    """What waits here and in the system for this client.

    The buffer of a transport alone moves when a third of the system's is free: of 4 MiB that takes a slow line
    longer than anybody waits for a client that takes nothing.
    """
    taking = transport.get_extra_info("socket")
    return transport.get_write_buffer_size() + (_in_system(taking.fileno()) if taking is not None else 0)


def _in_system(descriptor: int) -> int:
    """Bytes that the other side has not acknowledged; 0 where the system does not tell."""
    try:
        if sys.platform == "darwin":
            with socket.socket(fileno=socket.dup(descriptor)) as copy:
                return copy.getsockopt(socket.SOL_SOCKET, _SO_NWRITE)
        (count,) = _INT.unpack(fcntl.ioctl(descriptor, termios.TIOCOUTQ, bytes(_INT.size)))
    except OSError:
        return 0
    return int(count)
