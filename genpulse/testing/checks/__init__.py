"""The checks. Each runs real tasks through a worker, over real HTTP to the fake."""

from genpulse.testing.checks import (
    account,
    cancels,
    course,
    credentials,
    files,
    lookups,
    orders,
    questions,
    refusals,
    results,
)
from genpulse.testing.checks.check import Check

__all__ = ["CHECKS", "Check"]

CHECKS: tuple[Check, ...] = (
    *course.CHECKS,
    *refusals.CHECKS,
    *orders.CHECKS,
    *lookups.CHECKS,
    *cancels.CHECKS,
    *questions.CHECKS,
    *results.CHECKS,
    *files.CHECKS,
    *credentials.CHECKS,
    *account.CHECKS,
)
"""Every check, in the order in which the table shows them."""
