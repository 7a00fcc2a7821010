"""The part of an address behind the question mark."""

from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import quote, unquote_plus


class Query:
    """Keys and values in their order. `raw` keeps each as it was written."""

    def __init__(self, text: str) -> None:
        self.raw = tuple(part for part in text.split("&") if part)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        for part in self.raw:
            name, _, value = part.partition("=")
            yield unquote_plus(name), unquote_plus(value)

    def get(self, name: str) -> str | None:
        """The last value of a key, as drivers take it; None where it is not there."""
        return dict(self).get(name)

    def without(self, names: Collection[str]) -> "Query":
        """The rest."""
        return Query("&".join(part for part in self.raw if unquote_plus(part.partition("=")[0]) not in names))

    def also(self, name: str, value: str) -> "Query":
        """Add a key at the end, percent-encoded as far as drivers need it."""
        return Query("&".join((*self.raw, f"{name}={quote(value, safe='/:,')}")))

    def __str__(self) -> str:
        return "&".join(self.raw)


def unknown_key(query: Query, allowed: Collection[str]) -> str:
    """The fault of the first unknown key; empty when all are known."""
    for name, _ in query:
        if name not in allowed:
            near = get_close_matches(name, allowed, n=1, cutoff=0.7)
            hint = f" Did you mean {near[0]}?" if near else ""
            return f"nobody knows {name[:60]!r} in its query.{hint}"
    return ""


def wrong_word(query: Query, words: Mapping[str, Collection[str]]) -> str:
    """The fault of the first key whose value is none of the words it allows; empty when there is none."""
    for name, value in query:
        if name in words and value not in words[name]:
            return f"{name} in its query has to be {', '.join(words[name])}, and is {value[:30]!r}"
    return ""


def missing_file(query: Query, names: Collection[str]) -> str:
    """The fault of the first key that names a file which cannot be read; empty when all can."""
    for name, value in query:
        if name in names and not Path(value).expanduser().is_file():
            # What is no path may be the text of a key.
            file = f"the file {value}, which" if "/" in value else "a file that"
            return f"{name} in its query names {file} is not there"
    return ""


def wrong_number(query: Query, whole: Collection[str], broken: Collection[str] = ()) -> str:
    """The fault of the first key whose value has to be a number and is none; empty when there is none."""
    for name, value in query:
        digits = value.replace(".", "", 1) if name in broken else value
        if name in {*whole, *broken} and not (digits.isascii() and digits.isdigit()):
            return f"{name} in its query has to be a number, and is {value[:30]!r}"
    return ""
