"""The order of a task, as a caller places it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import field
from dataclasses import fields as fields_of
from datetime import datetime

from genpulse.domain.json.value import JsonObject
from genpulse.domain.submission.webhook_choice import WebhookChoice
from genpulse.domain.task import Priority
from genpulse.domain.value import value


@value
class Order:
    """What a caller asks for, not yet checked against the model.

    `deadline_s` is in seconds from now, or from `run_at`, before which the task is not to begin; `retain_s` in
    seconds after the end, when it is to be deleted. `model` is the public id of a model, the name of a route, or
    several of both, tried in their order; None: the usual route of the `kind`. `webhook_choice` says what is told
    at `webhook_url`, and in whose form; None: the end, in ours.
    Each API that takes orders reads its own body into one of these.
    """

    model: str | tuple[str, ...] | None
    input: JsonObject
    kind: str | None = None
    priority: Priority = Priority.NORMAL
    webhook_url: str | None = None
    deadline_s: float | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    retain_s: int | None = None
    run_at: datetime | None = None
    webhook_choice: WebhookChoice | None = None
    deadline_is_for_start: bool = False

    def fingerprint(self) -> str:
        """The SHA-256 of the whole order, which tells a repeated request from another one.

        It is stored with the task: a new field must leave the fingerprints of orders without it as they are.
        """
        fields = {name: getattr(self, name) for name in _FIELDS}
        if self.retain_s is None:
            del fields["retain_s"]
        at = fields.pop("run_at")
        if at is not None:
            fields["run_at"] = at.isoformat()
        if not self.deadline_is_for_start:
            del fields["deadline_is_for_start"]
        del fields["webhook_choice"]
        if (choice := self.webhook_choice) is not None:
            fields["webhook_choice"] = {"form": choice.form, "events": sorted(choice.events)}
        canonical = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()


_FIELDS = tuple(one.name for one in fields_of(Order))
