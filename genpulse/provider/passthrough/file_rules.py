"""Which texts of a result are files: by the object or the name where they stand, or by whose address it is."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias
from urllib.parse import urlsplit

from genpulse.domain.json.place import Place, values
from genpulse.domain.json.value import JsonValue
from genpulse.provider.encoded import is_data_uri

_DATA = re.compile(
    r"\s*data:([;,]|(application|audio|image|model|text|video)/|[a-z][\w.+-]*/[\w.+-]+\s*[;,])", re.IGNORECASE
)
"""How a file begins that stands in the result itself. Words may begin with `Data: ` as well."""
_BEGINNING = re.compile(r"\s*[hd]", re.IGNORECASE)
_FACTS = frozenset(
    {"content_type", "file_data", "file_name", "file_size", "filename", "media_type", "mime_type", "mimetype"}
)
"""Names that vendors put beside the `url` of a file, and of nothing else."""
_MEDIUM = re.compile(r"(^|_)(audio|file|gif|image|mask|mesh|picture|speech|video)s?(_|$)", re.IGNORECASE)
_ADDRESSES = frozenset({"url", "urls"})


@dataclass(frozen=True, slots=True)
class PossibleFile:
    """A text of a result that may be a file: it is an address, or a data: URI.

    `place` is where it stands in the result, `beside` the object that holds it, empty where it stands in a list or
    is all there is.
    """

    text: str
    place: Place
    beside: Mapping[str, JsonValue] = field(default_factory=dict)

    @property
    def is_content(self) -> bool:
        """Whether the file itself stands there, as a data: URI."""
        return is_data_uri(self.text)

    @property
    def names(self) -> tuple[str | None, str | None]:
        """The name under which it stands, and the one above that. Places in lists have none."""
        name, above = _named(self.place)
        return name, _named(above)[0]


IsFile: TypeAlias = Callable[[PossibleFile], bool]
"""A rule: whether a candidate is a file."""


def is_candidate(text: str) -> bool:
    """Whether a text can be a file at all. A URL has no spaces in it, unlike a prompt that begins with one."""
    if not _BEGINNING.match(text):
        return False
    if _DATA.match(text):
        return True
    return text.strip()[:8].lower().startswith(("https://", "http://")) and len(text.split(maxsplit=1)) == 1


def is_file_object(candidate: PossibleFile) -> bool:
    """Whether it is the `url` of an object that describes a file, or stands under the name of a medium."""
    name, above = candidate.names
    if name != "url" or not candidate.beside:
        return False
    return not _FACTS.isdisjoint(candidate.beside) or above is None or _MEDIUM.search(above) is not None


def is_file_in_place(candidate: PossibleFile) -> bool:
    """What can be said without knowing the vendor.

    A file is what an object describes as one, what stands under the name of a medium, and what is the result
    itself or an item of it. A data: URI is one wherever it stands.
    """
    name, above = candidate.names
    if candidate.is_content or name is None or is_file_object(candidate):
        return True
    if name in _ADDRESSES:
        return above is None or _MEDIUM.search(above) is not None
    return _MEDIUM.search(name) is not None


def is_on(hosts: Collection[str]) -> IsFile:
    """A rule: what has its address on one of these hosts, or below one of them."""

    def is_there(candidate: PossibleFile) -> bool:
        try:
            host = urlsplit(candidate.text.strip()).hostname or ""
        except ValueError:
            return False
        return any(host == own or host.endswith(f".{own}") for own in hosts)

    return is_there


def but_not(is_file: IsFile, repeated: Collection[str]) -> IsFile:
    """The rule, but for these texts, which the vendor only repeats."""
    return lambda candidate: candidate.text.strip() not in repeated and is_file(candidate)


def candidates_in(document: JsonValue) -> frozenset[str]:
    """Every text of a document that can be a file, such as those of an input that may come back in a result."""
    return frozenset(
        value.strip() for _, value in values(document) if isinstance(value, str) and is_candidate(value)
    )


def keys_of(place: Place) -> Iterator[str | int]:
    """The names and numbers that lead to a place, from the last one up."""
    while place is not None:
        place, key = place
        yield key


def _named(place: Place) -> tuple[str | None, Place]:
    """The nearest name at or above a place, and what is above that."""
    while place is not None:
        place, key = place
        if isinstance(key, str):
            return key, place
    return None, None
