"""Values that nobody changes, for those of which every task makes several."""

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def value(cls: type[T]) -> type[T]:
    """A dataclass that the type checker holds to be frozen, with slots, equality and a hash.

    `dataclass(frozen=True)` refuses a change at run time as well, by a call for each field: so a `Task` takes five
    times as long to be made, which was a twentieth of a submit and of an attempt.
    """
    return dataclass(slots=True, unsafe_hash=True)(cls)
