"""What is said to a vendor over HTTP, what comes back, and where its files may be fetched from.

`Http` is the process's one client, which every provider gets in its `ProviderSettings`.
"""

from genpulse.wire.errors import AnswerLost, AnswerTooLarge, AnswerUnusable
from genpulse.wire.http import Http, Socket
from genpulse.wire.messages import ANSWER_BYTES, Part, Reply, Request
from genpulse.wire.reach import PUBLIC, Reach

__all__ = [
    "ANSWER_BYTES",
    "PUBLIC",
    "AnswerLost",
    "AnswerTooLarge",
    "AnswerUnusable",
    "Http",
    "Part",
    "Reach",
    "Reply",
    "Request",
    "Socket",
]
