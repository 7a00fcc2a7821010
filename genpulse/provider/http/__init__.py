"""HTTP values for plug-ins: requests, replies, errors, and which hosts may be reached.

`Http` is the process's one client, which every provider gets in its `ProviderSettings`.
"""

from genpulse.provider.http.errors import AnswerLost, AnswerTooLarge, AnswerUnusable
from genpulse.provider.http.http import Http, Socket
from genpulse.provider.http.messages import ANSWER_BYTES, Part, Reply, Request
from genpulse.provider.http.reach import PUBLIC, Reach

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
