"""Moments as people read them, by the clock of this machine."""

from datetime import datetime


def moment_text(moment: datetime, now: datetime) -> str:
    """The time of today, and the date with it of every other day: `14:03:12`, `2026-02-27 14:03:12`.

    `now` says by its time zone which clock is meant.
    """
    there = moment.astimezone(now.tzinfo)
    return f"{there:%H:%M:%S}" if there.date() == now.date() else f"{there:%Y-%m-%d %H:%M:%S}"
