"""Vendors' words for the state of a job."""

import re
from dataclasses import dataclass
from enum import StrEnum

from genpulse.domain.json.value import JsonValue

LENGTH = 100


class Standing(StrEnum):
    """The state of a job. CANCELED is a way to fail; ODD is a word that is not known here."""

    DONE = "done"
    FAILED = "failed"
    CANCELED = "canceled"
    RUNNING = "running"
    ODD = "odd"

    @property
    def is_lost(self) -> bool:
        """Whether the job has ended without an output."""
        return self in {Standing.FAILED, Standing.CANCELED}


def plain(word: str) -> str:
    """A word in the one spelling in which words are compared: `In-Progress` is `in_progress`."""
    return re.sub(r"[\s_-]+", "_", word.strip()).casefold()[:LENGTH]


@dataclass(frozen=True, slots=True)
class StatusWords:
    """The words of one vendor, in their plain spelling."""

    done: frozenset[str] = frozenset()
    failed: frozenset[str] = frozenset()
    canceled: frozenset[str] = frozenset()
    running: frozenset[str] = frozenset()

    def standing(self, word: JsonValue) -> Standing:
        """Classify a word; ODD for one that is not known, and for what is no word."""
        if not isinstance(word, str):
            return Standing.ODD
        spelling = plain(word)
        by_standing = {
            Standing.DONE: self.done,
            Standing.FAILED: self.failed,
            Standing.CANCELED: self.canceled,
            Standing.RUNNING: self.running,
        }
        return next((standing for standing, words in by_standing.items() if spelling in words), Standing.ODD)

    def with_more(self, *, done: str = "", failed: str = "", running: str = "") -> "StatusWords":
        """Add an operator's words, separated by commas; they have priority over ours."""
        more_done, more_failed, more_running = _words(done), _words(failed), _words(running)
        added = more_done | more_failed | more_running
        return StatusWords(
            (self.done - added) | more_done,
            (self.failed - added) | more_failed,
            self.canceled - added,
            (self.running - added) | more_running,
        )


def _words(listed: str) -> frozenset[str]:
    return frozenset(word for one in listed.split(",") if (word := plain(one)))


FIELD = StatusWords(
    done=_words("succeeded, succeed, success, successful, completed, complete, done, finished, ready"),
    failed=_words(
        "failed, fail, failure, error, errored, rejected, expired, incomplete, aborted, timed_out, timeout,"
        "terminated"
    ),
    canceled=_words("canceled, cancelled"),
    running=_words(
        "queued, queueing, in_queue, pending, waiting, submitted, accepted, created, scheduled, throttled,"
        "starting, started, preparing, processing, in_progress, progress, running, generating, rendering,"
        "dreaming, working"
    ),
)
"""Words that several vendors use in one and the same sense (read in their clients and documentation)."""


def shown(word: JsonValue) -> str:
    """A word as it is told to people: what the vendor said, at most 100 characters of it."""
    match word:
        case None | "":
            return "nothing"
        case str() | int() | float():
            return str(word)[:LENGTH]
        case _:
            return "what is no word"
