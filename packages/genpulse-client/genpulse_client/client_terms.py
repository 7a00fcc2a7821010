"""What a client token is to be good for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class ClientTerms:
    """For `tasks` that are there, or for tasks of `models` (or routes) that are submitted by it.

    At most `max_tasks` of them are submitted, for `max_usd`.

    `input` are fields of the input that are the same for all of its tasks, `input_fields` the others that may be
    said (None: any), `metadata` is that of each task, and `webhook_url` is told of its end. `max_files` files may
    be brought by it, each of `max_bytes` and `media_type`. It is good for `expires_in_s` seconds, 10 to 3600.
    """

    tasks: Sequence[str] | None = None
    models: Sequence[str] | None = None
    expires_in_s: int | None = None
    max_tasks: int | None = None
    max_usd: Decimal | str | None = None
    input: Mapping[str, Any] | None = None
    input_fields: Sequence[str] | None = None
    metadata: Mapping[str, str] | None = None
    webhook_url: str | None = None
    may_cancel: bool | None = None
    max_files: int | None = None
    max_bytes: int | None = None
    media_type: str | None = None

    def body(self) -> dict[str, Any]:
        """What is said of it, as the API takes it."""
        files = {"max_files": self.max_files, "max_bytes": self.max_bytes, "media_type": self.media_type}
        uploads = {name: value for name, value in files.items() if value is not None}
        terms = {
            "tasks": _listed(self.tasks),
            "models": _listed(self.models),
            "expires_in_s": self.expires_in_s,
            "max_tasks": self.max_tasks,
            "max_usd": None if self.max_usd is None else _dollars(self.max_usd),
            "input": self.input,
            "input_fields": _listed(self.input_fields),
            "metadata": self.metadata,
            "webhook_url": self.webhook_url,
            "may_cancel": self.may_cancel,
            "uploads": uploads or None,
        }
        return {name: value for name, value in terms.items() if value is not None}


def _listed(names: Sequence[str] | None) -> list[str] | None:
    """One name alone is one, and not its letters."""
    if names is None:
        return None
    return [names] if isinstance(names, str) else list(names)


def _dollars(amount: Decimal | str) -> str:
    return f"{amount:f}" if isinstance(amount, Decimal) else amount
