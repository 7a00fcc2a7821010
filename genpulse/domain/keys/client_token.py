"""Client tokens: for minutes, a small part of what an API key may do, for a web page or an app of its holder."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from genpulse.domain.assets.upload_grant import ANY
from genpulse.domain.json.value import JsonObject
from genpulse.domain.money.allowance import NO_LIMITS, Allowance

MARK = "gpct_"
"""How each of them begins, and no API key does."""
SHORTEST_S = 10
LONGEST_S = 3600
MOST_TASKS = 1000
MOST_UPLOADS = 100


@dataclass(frozen=True, slots=True)
class UploadTerms:
    """How many files may be brought, how large each may be, and of what type."""

    files: int = 0
    max_bytes: int = 0
    media_type: str = ANY


NO_UPLOADS = UploadTerms()


@dataclass(frozen=True, slots=True)
class OrderTerms:
    """What may be ordered: tasks of these models or routes, `max_tasks` of them, for `max_usd` altogether.

    `input` stands in the input of each, and `fields` are the others that may be said; None: any. `metadata` is the
    metadata of each, and `webhook_url` is told of its end.
    """

    models: tuple[str, ...]
    max_tasks: int = 1
    max_usd: Decimal | None = None
    input: JsonObject = field(default_factory=dict)
    fields: frozenset[str] | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    webhook_url: str | None = None
    uploads: UploadTerms = NO_UPLOADS

    @property
    def allowance(self) -> Allowance:
        """How much may be done by the token."""
        return Allowance(total_tasks=self.max_tasks, total_usd=self.max_usd)


@dataclass(frozen=True, slots=True)
class ClientToken:
    """A token without its secret: it opens the tasks in `tasks`, or those that are ordered by it under `orders`.

    `owner` is the id of the API key that made it, empty where none is needed; it is good as long as that key is.
    `may_cancel`: its tasks may be canceled by it. `uploads` are the assets that were promised to it by now.
    """

    id: UUID
    owner: str
    created_at: datetime
    expires_at: datetime
    tasks: frozenset[UUID] = frozenset()
    orders: OrderTerms | None = None
    may_cancel: bool = True
    revoked_at: datetime | None = None
    uploads: frozenset[UUID] = frozenset()

    @property
    def allowance(self) -> Allowance:
        """How much may be ordered by it."""
        return self.orders.allowance if self.orders else NO_LIMITS

    @property
    def takes_files(self) -> bool:
        """Whether files may be brought by it."""
        return self.orders is not None and self.orders.uploads.files > 0

    def may_order(self, model: str) -> bool:
        """Whether tasks of this model or route may be submitted by it."""
        return self.orders is not None and model in self.orders.models

    def is_active(self, now: datetime) -> bool:
        """Whether it is good at that moment, as long as its key is."""
        return self.revoked_at is None and now < self.expires_at

    def opens(self, task_id: UUID, ordered_by: UUID | None) -> bool:
        """Whether it is good for a task, which was ordered by the token of this id."""
        return task_id in self.tasks or (ordered_by is not None and ordered_by == self.id)


def prefix_of(api_key_prefix: str) -> str:
    """How the client tokens of an environment begin, from how its API keys do."""
    return MARK + api_key_prefix.partition("_")[2]
