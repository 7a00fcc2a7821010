"""The filter by who has to act: it stands for the codes after which that is so."""

from collections.abc import Sequence

from genpulse.domain.errors.responsibility import codes_of
from genpulse.domain.failure import Actor

FIELD = "who"
_CODE = "code"

Pairs = Sequence[tuple[str, str]]


def fault_of(pairs: Pairs) -> str:
    """Why it makes no sense; empty where it does, or is not there."""
    words = {value for name, value in pairs if name == FIELD}
    if unknown := words - {actor.value for actor in Actor}:
        return f"Nobody is called {min(unknown)[:40]!r} here: it is one of {', '.join(Actor)}"
    named = {value for name, value in pairs if name == _CODE}
    if words and named and not named & _codes(words):
        return f"After {', '.join(sorted(named))[:200]} it is somebody else who has to act"
    return ""


def as_codes(pairs: Pairs) -> list[tuple[str, str]]:
    """The same filter by codes alone: those that were named, as far as they are among those that are meant."""
    words = {value for name, value in pairs if name == FIELD}
    if not words:
        return list(pairs)
    named = {value for name, value in pairs if name == _CODE}
    meant = sorted(_codes(words) & named if named else _codes(words))
    others = [(name, value) for name, value in pairs if name not in {FIELD, _CODE}]
    return [*others, *((_CODE, code) for code in meant)]


def _codes(words: set[str]) -> set[str]:
    return {code.value for word in words for code in codes_of(Actor(word))}
