"""What one action on many tasks would do, or did."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from genpulse_client.errors import UnexpectedAnswer

Action: TypeAlias = Literal["cancel", "retry", "delete"]


@dataclass(frozen=True, slots=True)
class ActionOutcome:
    """`count` is with how many it would be done, `done` with how many it was: one of them is None.

    `left_out` says how many for which reason. `confirm` does what was counted, or goes on with what is left; None
    where there is nothing more to do. `document` is all that the API says.
    """

    count: int | None
    done: int | None
    left_out: Mapping[str, int]
    confirm: str | None
    document: Mapping[str, Any]


def action_outcome_of(document: Any) -> ActionOutcome:
    """The outcome from its JSON. Raises `UnexpectedAnswer`."""
    try:
        left_out = {one["reason"]: one["count"] for one in document["left_out"]}
        return ActionOutcome(document["count"], document["done"], left_out, document["confirm"], document)
    except (KeyError, TypeError):
        raise UnexpectedAnswer(
            "The answer is JSON, but no outcome. Is the server older than this client?"
        ) from None
