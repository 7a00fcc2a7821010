"""A vendor account over HTTP: base URL, credentials, orders and questions.

Most plug-ins need no more than an `Account` and a function that tells their vendor's refusals apart.
"""

from genpulse.provider.account.access import Access
from genpulse.provider.account.account import ORDER_S, QUESTION_S, UPLOAD_S, Account
from genpulse.provider.account.fetched import Fetched
from genpulse.provider.account.refusals import Explain, refusal, retry_after_s

__all__ = [
    "ORDER_S",
    "QUESTION_S",
    "UPLOAD_S",
    "Access",
    "Account",
    "Explain",
    "Fetched",
    "refusal",
    "retry_after_s",
]
