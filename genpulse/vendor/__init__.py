"""A vendor's account over HTTP: where it is, how we show who we are, and what its answers mean.

Most adapters need no more than an `Account` and a function that tells their vendor's refusals apart.
"""

from genpulse.vendor.access import Access
from genpulse.vendor.account import ORDER_S, QUESTION_S, UPLOAD_S, Account
from genpulse.vendor.fetched import Fetched
from genpulse.vendor.refusals import Explain, refusal, retry_after_s

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
