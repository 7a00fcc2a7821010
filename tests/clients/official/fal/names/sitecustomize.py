"""Lets names below `localhost` lead to this machine, as RFC 6761 wants it and not every system does it.

Clients before 0.6 call `queue.` and the host that they are given. A user has an entry in the DNS for it.
"""

import socket

_getaddrinfo = socket.getaddrinfo


def getaddrinfo(host, *words, **options):
    name = host.decode() if isinstance(host, bytes) else host or ""
    below = name.endswith(".localhost")
    return _getaddrinfo("127.0.0.1" if below else host, *words, **options)


socket.getaddrinfo = getaddrinfo
