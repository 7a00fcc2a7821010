"""What callers ask for and cannot have; nothing was accepted."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from genpulse.domain.errors.base import GenPulseError
from genpulse.domain.task import Priority


@dataclass(frozen=True, slots=True)
class Problem:
    """One place in a document that does not fit. `pointer` is a JSON Pointer, such as `/input/width`."""

    pointer: str
    detail: str


class Refused(GenPulseError):
    """The caller asked for something that cannot be done; nothing was accepted.

    `problems` are the places in the body because of which, as far as they are known.
    """

    code: ClassVar[str] = "refused"
    problems: tuple[Problem, ...] = ()

    def blame(self, places: Iterable[str]) -> None:
        """Say which orders of a batch were refused, unless it is known more exactly. A body alone has no place."""
        self.problems = self.problems or tuple(Problem(place, str(self)) for place in places if place)


class BadInput(Refused):
    """A document does not fit its schema."""

    code = "invalid_input"

    def __init__(self, detail: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__(detail)
        self.problems = tuple(problems)


class OutOfReach(BadInput):
    """A document names what cannot be reached from here: an asset that is not there, a webhook that is never sent.

    It fits its schema, and may have been taken at another time.
    """


class CustomerMissing(BadInput):
    """The API key limits each end customer, and the task does not say whose it is. `field` is of the metadata."""

    code = "customer_missing"

    def __init__(self, field: str, place: str = "") -> None:
        pointer = f"{place}/metadata/{field.replace('~', '~0').replace('/', '~1')}"
        super().__init__(
            f"This API key limits what each end customer may do, and tells them apart by metadata.{field}. Send"
            " the customer there, with one character at least.",
            [Problem(pointer, "it is missing or empty")],
        )


class PriorityNotAllowed(BadInput):
    """A task asks for a higher priority than its API key may. It is at `place`; `key` is the name of that."""

    code = "priority_not_allowed"

    def __init__(self, key: str, priority: Priority, highest: Priority, place: str = "") -> None:
        super().__init__(
            f"The API key {key!r} may ask for the priority {highest.word!r} at most, and a task asks for"
            f" {priority.word!r}. Ask for {highest.word!r}, or leave the priority out.",
            [Problem(f"{place}/priority", f"{highest.word!r} is the highest that this API key may ask for")],
        )


class IdempotencyKeyReuse(Refused):
    """The idempotency key was used before with another body. `place` is where the order stands in a batch."""

    code = "idempotency_key_reuse"

    def __init__(self, key: str, place: str = "") -> None:
        super().__init__(
            f"The Idempotency-Key {key!r} was used before with another body. Send a new key for a new task."
        )
        self.key = key
        self.problems = (
            (Problem(f"{place}/idempotency_key", "it was used before with another body"),) if place else ()
        )


class InvalidCursor(Refused):
    """A page cursor that this service did not make."""

    code = "invalid_cursor"

    def __init__(self) -> None:
        super().__init__(
            "The cursor was not made by this service for this list. Use `next_cursor` as it was given, with"
            " the same filters, or leave it out to start from the newest task."
        )


class DatabaseInUse(Refused):
    """The stamp of a database cannot be replaced while processes of GenPulse are connected."""

    code = "database_in_use"

    def __init__(self, connected: Sequence[str]) -> None:
        super().__init__(
            f"Processes are connected to this database: {', '.join(connected)}. Stop them first: they were started"
            " for the environment to which it belongs now."
        )


class ContentTooLarge(Refused):
    """More bytes than the limit allows. `limit_bytes` is that limit."""

    code = "content_too_large"

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(f"The content is larger than the limit of {limit_bytes:,} bytes.")
        self.limit_bytes = limit_bytes


class UploadIncomplete(Refused):
    """The client went away in the middle of an upload; nothing was kept."""

    code = "upload_incomplete"


class UploadNotTaken(Refused):
    """The file is of another type than it may be; nothing was kept. `found` is its own, by its bytes."""

    code = "unsupported_media_type"

    def __init__(self, actual: str, expected: str) -> None:
        super().__init__(f"The file is {actual} by its bytes; this address takes {expected} alone.")
