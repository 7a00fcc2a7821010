"""Bytes of an answer that a client has not taken yet, wherever they lie."""

import asyncio
import fcntl
import socket
import struct
import sys
import termios
from contextlib import suppress

_SO_NWRITE = 0x1024
"""Of macOS (sys/socket.h)."""
_INT = struct.Struct("i")
_RESET = struct.pack("ii", 1, 0)
"""Wait for what is unsent, for no second (socket(7), SO_LINGER)."""


def untaken_bytes(transport: asyncio.Transport) -> int:
    """Bytes in our buffer and the system's that the client has not received yet.

    The buffer of a transport alone moves when a third of the system's is free: of 4 MiB that takes a slow line
    longer than anybody waits for a client that takes nothing.
    """
    taking = transport.get_extra_info("socket")
    return transport.get_write_buffer_size() + (_in_system(taking.fileno()) if taking is not None else 0)


def drop_untaken(transport: asyncio.Transport) -> None:
    """Abort the connection and drop the system's send buffer, which would be kept for minutes."""
    taking = transport.get_extra_info("socket")
    if taking is not None:
        with suppress(OSError), socket.socket(fileno=socket.dup(taking.fileno())) as copy:
            copy.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    transport.abort()


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
