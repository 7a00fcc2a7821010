"""Which messages about a task are wanted, and in whose form."""

from dataclasses import dataclass
from enum import StrEnum


class WebhookEvent(StrEnum):
    """What a message may be about."""

    START = "start"
    """The first attempt begins: once in a task's life."""
    PROGRESS = "progress"
    OUTPUT = "output"
    """The end of a task that succeeded, as all outputs are there at once; no message of its own beside that."""
    END = "end"


@dataclass(frozen=True, slots=True)
class WebhookChoice:
    """The events that are told, in a form by its name; the empty one is our own."""

    form: str = ""
    events: frozenset[WebhookEvent] = frozenset({WebhookEvent.END})

    def wants_end(self, *, succeeded: bool) -> bool:
        """Whether the end is told of a task that did or did not succeed."""
        return WebhookEvent.END in self.events or (succeeded and WebhookEvent.OUTPUT in self.events)


USUAL = WebhookChoice()
"""What a task without a choice of its own gets."""
