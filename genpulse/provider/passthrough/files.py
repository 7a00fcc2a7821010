"""The files of a result, wherever they stand in it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from genpulse.domain.json.place import Place
from genpulse.domain.json.value import JsonValue
from genpulse.domain.result.answer import Answer, OutputPlace
from genpulse.provider.passthrough.file_rules import IsFile, PossibleFile, is_candidate

PLACES = frozenset({"audio", "audios", "file", "files", "image", "images", "url", "urls", "video", "videos"})
"""Names under which vendors put files: an empty one says that none was made."""
_Holder: TypeAlias = "dict[str, Any] | list[Any]"


class Gap:
    """A place among files that holds none. Each is one of its own."""


@dataclass(frozen=True, slots=True)
class FoundFiles:
    """The addresses and data: URIs in their order, with empty places beside them; the result with their places."""

    files: tuple[str | Gap, ...]
    answer: Answer


def found_files(result: JsonValue, is_file: IsFile) -> FoundFiles:
    """What is a file by a rule. One that is named twice is one file.

    A result may be nested more deeply than a function can call itself.
    """
    return _Search(is_file).of(result)


@dataclass(frozen=True, slots=True)
class _Level:
    """A list or an object on the way, which is a copy, and what is left to be looked at in it."""

    holder: _Holder
    place: Place
    keys: Iterator[str | int]
    gaps: frozenset[int] = frozenset()


class _Search:
    """Depth first, as one reads."""

    def __init__(self, is_file: IsFile) -> None:
        self._is_file = is_file
        self._files: dict[str | Gap, int] = {}

    def of(self, result: JsonValue) -> FoundFiles:
        root: list[Any] = [result]
        levels = [_Level(root, None, iter((0,)))]
        while levels:
            level = levels[-1]
            key = next(level.keys, None)
            if key is None:
                levels.pop()
                continue
            place = None if level.holder is root else (level.place, key)
            if below := self._look_at(level, key, place):
                levels.append(below)
        return FoundFiles(tuple(self._files), root[0])

    def _look_at(self, level: _Level, key: str | int, place: Place) -> _Level | None:
        """Put places of files into the level. Returns what is to be looked at first."""
        holder: Any = level.holder
        value = holder[key]
        if key in level.gaps and isinstance(holder, list):
            holder[key] = self._with_gap(value)
        elif isinstance(value, str):
            if self._is_named(value, place, holder):
                holder[key] = self._place_of(value.strip())
        elif isinstance(value, dict):
            holder[key] = copy = {**value}
            return _Level(copy, place, iter([*copy]))
        elif isinstance(value, list):
            holder[key] = items = [*value]
            return _Level(items, place, iter(range(len(items))), self._gaps(items, place))
        return None

    def _is_named(self, text: str, place: Place, holder: _Holder) -> bool:
        if not is_candidate(text):
            return False
        return self._is_file(PossibleFile(text, place, holder if isinstance(holder, dict) else {}))

    def _place_of(self, file: str | Gap) -> OutputPlace:
        return OutputPlace(self._files.setdefault(file, len(self._files)))

    def _with_gap(self, item: JsonValue) -> Answer:
        """An empty item, with the place of an output that is missing."""
        place = self._place_of(Gap())
        if not isinstance(item, dict):
            return place
        name = next(name for name in item if name in PLACES and is_empty(item[name]))
        return {**item, name: place}

    def _gaps(self, items: list[JsonValue], place: Place) -> frozenset[int]:
        """Which items are empty, where one beside them names a file."""
        are_files = [self._names_file(item, (place, number)) for number, item in enumerate(items)]
        if not any(are_files):
            return frozenset()
        pairs = enumerate(zip(items, are_files, strict=True))
        return frozenset(number for number, (item, is_named) in pairs if not is_named and _is_gap(item))

    def _names_file(self, item: JsonValue, place: Place) -> bool:
        if isinstance(item, str):
            return self._is_named(item, place, [])
        if not isinstance(item, dict):
            return False
        texts = ((name, value) for name, value in item.items() if isinstance(value, str))
        return any(self._is_named(value, (place, name), item) for name, value in texts)


def is_empty(result: JsonValue) -> bool:
    """Whether nothing is in it: no number, no truth value, no text but spaces."""
    waiting = [result]
    while waiting:
        match waiting.pop():
            case None:
                continue
            case str() as text if not text.strip():
                continue
            case dict() as entries:
                waiting += entries.values()
            case list() as items:
                waiting += items
            case _:
                return False
    return True


def _is_gap(item: JsonValue) -> bool:
    if isinstance(item, dict):
        return any(is_empty(item[name]) for name in PLACES & item.keys())
    return is_empty(item)
