"""What the official clients have shown."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shown:
    """A call of a client at a door: whether it was seen to work, and what is to be said of it."""

    door: str
    client: str
    version: str
    call: str
    seen: bool
    note: str = ""
