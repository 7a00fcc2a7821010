"""What the official clients have shown, and the page that tells it: a row a call, a column a client's version."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

TITLES = {"replicate": "Replicate", "fal": "fal", "openai": "OpenAI"}
PAGE = "docs/reference/dialects.md"
_SEEN = {True: "yes", False: "**no**", None: "—"}
_HEAD = """# What the official clients do at our doors

Written by `make clients`, which runs each client unmodified against a whole stack: only its base URL and its
key are ours. *yes*: it was seen to work. *—*: this version has no such call.
"""


@dataclass(frozen=True, slots=True)
class Shown:
    """A call of a client at a door: whether it was seen to work, and what is to be said of it.

    `seen` is None where this version of the client has no such call.
    """

    door: str
    client: str
    version: str
    call: str
    seen: bool | None
    note: str = ""


def page(shown: Sequence[Shown]) -> str:
    """The whole page."""
    doors = [name for name in TITLES if any(one.door == name for one in shown)]
    return "\n".join([_HEAD, *(_table(door, [one for one in shown if one.door == door]) for door in doors)])


def _table(door: str, shown: Sequence[Shown]) -> str:
    columns = list(dict.fromkeys((one.client, one.version) for one in shown))
    calls = list(dict.fromkeys(one.call for one in shown))
    found = {(one.call, one.client, one.version): one for one in shown}
    rows = [
        f"| {call} | {' | '.join(_cell(found.get((call, *column))) for column in columns)} |" for call in calls
    ]
    head = [
        f"## {TITLES[door]}\n",
        f"| call | {' | '.join(f'{client} {version}' for client, version in columns)} |",
        f"|---|{'---|' * len(columns)}",
    ]
    notes = _notes(shown)
    return "\n".join([*head, *rows, "", *([*notes, ""] if notes else [])])


def _cell(shown: Shown | None) -> str:
    return _SEEN[shown.seen if shown else None]


def _notes(shown: Iterable[Shown]) -> list[str]:
    """What is said of calls, but for those that a version does not have: each once."""
    said = dict.fromkeys((one.call, one.note) for one in shown if one.note and one.seen is not None)
    return [f"- {call}: {note}" for call, note in said]
