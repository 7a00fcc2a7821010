"""Text of what holds a provider account back."""

from datetime import UTC, datetime

from genpulse.cli.output.moments import moment_text
from genpulse.cli.tasks.text import span


def held_back(since: datetime | None, until: datetime | None, answer: str, now: datetime) -> str:
    """Since when, until when and by which answer; times of the clock are in UTC."""
    began = f" since {_clock(since, now)}" if since else ""
    if until is None:
        return f"one task finds out whether it works again; left alone{began} by {answer}"
    left = span(max((until - now).total_seconds(), 0.0))
    return f"left alone{began} until {_clock(until, now)} (for {left} yet) by {answer}"


def failing(failures: int, reason: str) -> str:
    """The sentence about an account that fails and is not left alone yet."""
    return f"{failures} failed in a row, the last by {reason}"


def _clock(moment: datetime, now: datetime) -> str:
    return f"{moment_text(moment, now.astimezone(UTC))} UTC"
