"""Answers of vendors, drawn: any JSON and more than that, with places of files anywhere in it."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from genpulse.domain.json.value import JsonValue
from genpulse.domain.result.answer import Answer, OutputPlace
from genpulse.domain.text.storable import storable, storable_line

ASSET_IDS: Mapping[int, UUID] = {number: UUID(int=(7 << 76) + (2 << 62) + number) for number in range(3)}
"""The assets of three outputs. A place of any other output stands for a file that is missing."""
_ODD_TEXTS = (
    "$asset",
    "$$asset",
    f'{{"$asset":"{ASSET_IDS[0]}"}}',
    '"$asset":"',
    '{"',
    "\\",
    "\0",
    "\ud800",
    "\N{REPLACEMENT CHARACTER}",
    "\u2028",
    "https://x.example/a.png",
    "data:image/png;base64,aGk",
    f"asset:{ASSET_IDS[0]}",
)
_NUMBERS = st.integers(-(10**40), 10**40) | st.floats(allow_nan=False, allow_infinity=False)
_TEXTS = st.text(max_size=20) | st.sampled_from(_ODD_TEXTS) | st.text(st.characters(codec=None), max_size=5)
_NAMES = st.sampled_from(("$asset", "$$asset", "url", "seed", "images")) | _TEXTS


def answers() -> st.SearchStrategy[Answer]:
    """Small ones, whose numbers JSON can hold."""
    places = st.builds(OutputPlace, st.sampled_from((0, 1, 2, 0, 99, -1)))
    leaves = st.none() | st.booleans() | _NUMBERS | _TEXTS | places
    return st.recursive(
        leaves,
        lambda inner: (
            st.lists(inner, max_size=5)
            | st.lists(inner, max_size=3).map(tuple)
            | st.dictionaries(_NAMES, inner, max_size=5)
            | st.fixed_dictionaries({"$asset": st.just(str(ASSET_IDS[0]))})
        ),
        max_leaves=25,
    )


def as_shown(answer: Answer, given: Callable[[UUID], JsonValue]) -> Any:
    """What an answer is to come out as, said once more and simply."""
    match answer:
        case OutputPlace(index):
            return given(ASSET_IDS[index]) if index in ASSET_IDS else None
        case str():
            return storable(answer)
        case Mapping():
            shown: dict[str, Any] = {}
            for name, inner in answer.items():
                fit = storable_line(name)
                while fit in shown:
                    fit += "\N{REPLACEMENT CHARACTER}"
                shown[fit] = as_shown(inner, given)
            return shown
        case list() | tuple():
            return [as_shown(inner, given) for inner in answer]
        case _:
            return answer
