"""A provider's answer, in which each file is the place of an output."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, Union


@dataclass(frozen=True, slots=True)
class OutputPlace:
    """Where a file stands in an answer: it is the output of this index, from 0. Several may be of one output."""

    index: int


Answer: TypeAlias = Union[bool, int, float, str, OutputPlace, "Sequence[Answer]", "Mapping[str, Answer]", None]
"""JSON, with places of outputs in it."""
