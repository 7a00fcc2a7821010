"""Tasks that are asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from genpulse_client.results.asset import Asset
from genpulse_client.results.moment import moment_text
from genpulse_client.results.task import Priority


@dataclass(frozen=True, slots=True)
class Order:
    """A task that is asked for.

    `model` is `provider/name`, the name of a route, or several of them in the order in which they are to be tried;
    None is the usual route of the `kind`, where the installation has one. `input` is what the model's
    `input_schema` describes; an `Asset` in it stands for its file. `kind` is needed only when the model does
    several kinds of work. `webhook_url` is told when the task has ended. `deadline_s` is in how many seconds
    the task is given up. `metadata` are the caller's own words. The same `idempotency_key` and order give the same
    task. `retain_s` is for how many whole seconds after its end the task and its files are kept at the longest.
    It is not begun before `run_at`, which is 30 days ahead at most; `deadline_s` counts from then.
    """

    model: str | Sequence[str] | None
    input: Mapping[str, Any]
    kind: str | None = None
    priority: Priority | None = None
    webhook_url: str | None = None
    deadline_s: float | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    idempotency_key: str | None = None
    retain_s: int | None = None
    run_at: datetime | str | None = None

    def document(self) -> dict[str, Any]:
        """The body of a submit: what is not said is left out. The key is no part of it."""
        optional = {
            "kind": self.kind,
            "priority": self.priority,
            "webhook_url": self.webhook_url,
            "deadline_s": self.deadline_s,
            "metadata": dict(self.metadata) or None,
            "retain_s": self.retain_s,
            "run_at": None if self.run_at is None else moment_text(self.run_at),
        }
        model = self.model if self.model is None or isinstance(self.model, str) else list(self.model)
        named = {} if model is None else {"model": model}
        chosen = {name: value for name, value in optional.items() if value is not None}
        return {**named, "input": _plain(self.input), **chosen}


def _plain(value: Any) -> Any:
    """With files by their references."""
    if isinstance(value, Asset):
        return value.reference
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return value
