"""Models that can be asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from genpulse_client.errors import UnexpectedAnswer


@dataclass(frozen=True, slots=True)
class Model:
    """A model. `input_schema` is the JSON Schema of a task's `input`, `document` all that the API says.

    `allowed` is False where it costs money and the environment does not allow that, `configured` where its
    provider lacks what it needs, such as a key.
    """

    id: str
    title: str
    description: str
    kinds: tuple[str, ...]
    paid: bool
    allowed: bool
    configured: bool
    input_schema: Mapping[str, Any] = field(repr=False)
    document: Mapping[str, Any] = field(repr=False, compare=False)


def model_of(document: Any) -> Model:
    """A model from its JSON. Raises `UnexpectedAnswer`."""
    try:
        return Model(
            id=document["id"],
            title=document.get("title") or document["id"],
            description=document.get("description") or "",
            kinds=tuple(document["kinds"]),
            paid=bool(document.get("paid", False)),
            allowed=bool(document.get("allowed", True)),
            configured=bool(document.get("configured", True)),
            input_schema=document.get("input_schema") or {},
            document=document,
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise UnexpectedAnswer(f"The answer is no model: {error!r}. Is that the address of GenPulse?") from error


def list_of(document: Any) -> tuple[Mapping[str, Any], ...]:
    """The entries of a catalogue. Raises `UnexpectedAnswer`."""
    data = document.get("data") if isinstance(document, dict) else None
    if not isinstance(data, list):
        raise UnexpectedAnswer("The answer is JSON, but no catalogue. Is that the address of GenPulse?")
    return tuple(data)
