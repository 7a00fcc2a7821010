"""What is kept of a provider's answer: all of it where that is not too large, and fit to be stored in any case."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from math import isfinite
from uuid import UUID

from genpulse.domain.json.value import JsonValue
from genpulse.domain.result.answer import Answer, OutputPlace
from genpulse.domain.result.task_result import TaskResult, escaped, reference_to
from genpulse.domain.text.storable import REPLACEMENT, storable, storable_line
from genpulse.domain.warning import TaskWarning, WarningCode

LIMIT_BYTES = 256 << 10
"""How large a result may be as encoded JSON."""
DEPTH = 64
"""So deeply lists and objects may stand in one another."""
NAME_LENGTH = 256
_LARGEST = 10**300
"""Programs that have no larger numbers than those of 64 bits with a point still read this one."""


@dataclass(frozen=True, slots=True)
class _Bounds:
    """How long a text, how many items of a list or an object, and how many levels are kept."""

    text: int
    items: int = LIMIT_BYTES
    depth: int = DEPTH


_WHOLE = _Bounds(LIMIT_BYTES)
_SHORTER = (
    *(_Bounds(length) for length in (131_072, 65_536, 16_384, 2_048, 256)),
    *(_Bounds(256, depth=depth) for depth in (16, 8, 4, 2)),
    _Bounds(256, 1_000, 4),
    _Bounds(256, 1_000, 2),
    _Bounds(256, 100, 2),
    _Bounds(256, 100, 1),
)
"""Tried one after the other. The last one fits, whatever comes."""


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """A result, and a warning where it is not all that the provider answered."""

    result: TaskResult
    warning: TaskWarning | None = None


def kept_whole(answer: Answer, asset_ids: Mapping[int, UUID]) -> KeptAnswer | None:
    """The answer with a reference in each place of a file; None where it is too large.

    `asset_ids` are the assets of the outputs by their index: a place of any other is null.
    """
    return _Copy(asset_ids, _WHOLE).kept(answer)


def kept_shortened(answer: Answer, asset_ids: Mapping[int, UUID]) -> KeptAnswer:
    """The same of one that is too large: first long texts are cut, then inner parts left out, then long lists."""
    copy = _Copy(asset_ids, _WHOLE)
    for bounds in (_WHOLE, *_SHORTER):
        if bounds is not _WHOLE and copy.is_the_same_within(bounds):
            continue
        copy = _Copy(asset_ids, bounds)
        if kept := copy.kept(answer):
            return kept
    raise AssertionError("the tightest bounds fit everything")


class _TooLargeError(Exception):
    pass


class _Copy:
    """A copy of an answer that can be stored. It stops as soon as it is certain to be too large."""

    def __init__(self, asset_ids: Mapping[int, UUID], bounds: _Bounds) -> None:
        self._asset_ids = asset_ids
        self._bounds = bounds
        self._left = LIMIT_BYTES
        self._names: dict[str, str] = {}
        self._longest = self._most = self._deepest = 0
        self._cut = self._inner = self._items = self._unwritable = 0

    def kept(self, answer: Answer) -> KeptAnswer | None:
        """None where it is too large."""
        try:
            copy = self._of(answer, 0)
        except _TooLargeError:
            return None
        text = json.dumps(copy, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        return KeptAnswer(TaskResult(text), self._warning()) if len(text.encode()) <= LIMIT_BYTES else None

    def is_the_same_within(self, bounds: _Bounds) -> bool:
        """Whether these bounds would have left nothing out of what was looked at."""
        return self._longest <= bounds.text and self._most <= bounds.items and self._deepest <= bounds.depth

    def _warning(self) -> TaskWarning | None:
        counts = {
            "texts that were cut": self._cut,
            "inner parts": self._inner,
            "items of long lists and objects": self._items,
            "values that JSON cannot hold": self._unwritable,
        }
        told = ", ".join(f"{what}: {count:,}" for what, count in counts.items() if count)
        return TaskWarning(WarningCode.TRUNCATED, f"The result is not kept as it came ({told}).") if told else None

    def _of(self, value: Answer, depth: int) -> JsonValue:
        """The value, or None for what is not kept."""
        match value:
            case str():
                return self._text(value)
            case None | bool():
                self._spend(4)
                return value
            case int() | float():
                return self._number(value)
            case dict() | Mapping():
                return self._object(value, depth) if self._is_in_reach(len(value), depth) else None
            case OutputPlace(index):
                asset_id = self._asset_ids.get(index)
                self._spend(4)
                return None if asset_id is None else reference_to(asset_id)
            case list() | Sequence() if not isinstance(value, bytes | bytearray | memoryview):
                return self._list(value, depth) if self._is_in_reach(len(value), depth) else None
            case _:
                self._unwritable += 1
                return None

    def _text(self, text: str) -> str:
        length = len(text)
        self._longest = max(self._longest, length)
        self._cut += length > self._bounds.text
        self._spend(min(length, self._bounds.text) + 2)
        return storable(text, self._bounds.text)

    def _number(self, number: float) -> float | None:
        self._spend(1)
        if isfinite(number) if isinstance(number, float) else -_LARGEST < number < _LARGEST:
            return number
        self._unwritable += 1
        return None

    def _is_in_reach(self, length: int, depth: int) -> bool:
        """Whether a list or an object of this length is kept here."""
        is_in_reach = depth < self._bounds.depth or not length
        self._inner += not is_in_reach
        self._items += max(length - self._bounds.items, 0) if is_in_reach else 0
        self._most, self._deepest = max(self._most, length), max(self._deepest, depth + bool(length))
        self._spend(2 + max(min(length, self._bounds.items) - 1, 0) if is_in_reach else 4)
        return is_in_reach

    def _object(self, value: Mapping[str, Answer], depth: int) -> JsonValue:
        entries: dict[str, JsonValue] = {}
        for name, inner in islice(value.items(), self._bounds.items):
            entries[self._name(str(name), entries)] = self._of(inner, depth + 1)
        return entries

    def _name(self, name: str, entries: Mapping[str, JsonValue]) -> str:
        """Two names that are alike once they are fit stay two."""
        fit = self._names.get(name)
        if fit is None:
            self._cut += len(name) > NAME_LENGTH
            fit = self._names[name] = escaped(storable_line(name, NAME_LENGTH))
        while fit in entries:
            fit += REPLACEMENT
        self._spend(len(fit) + 3)
        return fit

    def _list(self, value: Sequence[Answer], depth: int) -> JsonValue:
        return [self._of(inner, depth + 1) for inner in islice(value, self._bounds.items)]

    def _spend(self, count: int) -> None:
        """So many bytes it takes at least."""
        self._left -= count
        if self._left < 0:
            raise _TooLargeError
