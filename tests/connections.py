"""Connections to a server in this process: one that dies in its TLS handshake is nobody's but the event loop's."""

import asyncio

import psutil

_LOOKS = 1_000


async def all_closed(port: int) -> None:
    """Wait until no connection to this port is open here, so that none is found unclosed by a later test."""
    process = psutil.Process()
    for _ in range(_LOOKS):
        open_ones = (
            each
            for each in process.net_connections("tcp")
            if each.laddr and each.laddr.port == port and each.status != psutil.CONN_LISTEN
        )
        if not any(open_ones):
            return
        await asyncio.sleep(0.01)
