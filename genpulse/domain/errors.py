"""Every error that GenPulse raises on purpose.

GenPulseError
├── Refused                      the caller asked for something that cannot be done; nothing was accepted
│   ├── BadInput                 carries one problem for each place that does not fit
│   │   ├── OutOfReach           names an asset that is not there, or a webhook that is never sent
│   │   └── PriorityNotAllowed   asks for more than the API key may
│   ├── UnknownModel · UnknownProvider · UnknownKind · UnknownTask · UnknownAsset · UnknownDelivery
│   ├── IdempotencyKeyReuse      the key was used before with another body
│   ├── UnknownKey               no API key has this id
│   ├── NoWebhookSecret          it has no webhook secret of its own
│   ├── SealingKeyMissing        a secret would be kept, and nothing is there to seal it with
│   ├── SealedSecret             a secret is kept that no key here opens
│   ├── KeyLimitExceeded         the API key may not do so much
│   ├── UnknownHook · NoticeRefused    a vendor's notice that belongs to no job, or is not the vendor's
│   ├── InvalidCursor            a page cursor that this service did not make
│   ├── NotRetryable             the task is not in a state from which it can run again
│   ├── MayBeCharged             it would be ordered anew while its first order may run, or be paid for
│   ├── DatabaseInUse            processes are connected that must not be
│   ├── PaidProviderRefused      it costs money, and this environment does not allow that
│   ├── ProviderNotConfigured    it has no key here
│   ├── BudgetExceeded           it costs more than is left for today
│   ├── ContentTooLarge          more bytes than the limit allows
│   └── UploadIncomplete         the client went away in the middle
├── Unavailable                  a service that GenPulse stands on is away; try again later
│   ├── DatabaseUnavailable
│   │   ├── ForeignDatabase     it belongs to another environment
│   │   │   └── CopiedDatabase   it is a copy of this environment's, or was moved
│   │   └── UnstampedDatabase   nothing says to which environment it belongs
│   ├── ClocksDiffer             the host's clock and the database's are too far apart
│   └── StorageUnavailable
│       └── StorageFull
├── StorageLost                  bytes that are not there and never come back
├── LeaseLost                    another worker has taken the task over; the write was not done
├── TaskCanceled                 the task was canceled while it ran
└── ProviderError                why an attempt failed; carries a Failure
    ├── InvalidInput · ModerationBlocked · ProviderRejected
    ├── ProviderUnavailable      it was definitely not taken
    │   └── ProviderUnreachable  it was not even sent
    ├── RateLimited · QuotaExhausted · AuthenticationFailed · TimedOut
    ├── SpendingNotAllowed · OverBudget · JobOverdue
    ├── QuestionRefused          no answer about an order, which says nothing about the order
    └── UnknownOutcome · OutputUnavailable
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

from genpulse.domain.failure import Actor, Charged, Failure, FailureCode
from genpulse.domain.task import OpenOrder, Priority
from genpulse.domain.text import storable_line, unsigned


class GenPulseError(Exception):
    """Base of all errors raised on purpose."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One place in a document that does not fit. `pointer` is a JSON Pointer, such as `/input/width`."""

    pointer: str
    detail: str


class Refused(GenPulseError):
    """The caller asked for something that cannot be done; nothing was accepted."""

    code: ClassVar[str] = "refused"


class BadInput(Refused):
    """A document does not fit its schema."""

    code = "invalid_input"

    def __init__(self, detail: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__(detail)
        self.problems = tuple(problems)


class OutOfReach(BadInput):
    """A document names what cannot be reached from here: an asset that is not there, a webhook that is never sent.

    It fits its schema, and may have been taken at another time.
    """


class PriorityNotAllowed(BadInput):
    """A task at `place` asks for a higher priority than its API key may ask for. `key` is the name of that."""

    code = "priority_not_allowed"

    def __init__(self, key: str, wanted: Priority, highest: Priority, place: str = "") -> None:
        super().__init__(
            f"The API key {key!r} may ask for the priority {highest.word!r} at most, and a task asks for"
            f" {wanted.word!r}. Ask for {highest.word!r}, or leave the priority out.",
            [Problem(f"{place}/priority", f"{highest.word!r} is the highest that this API key may ask for")],
        )


def _near(matches: Sequence[str]) -> str:
    return f" Did you mean {' or '.join(matches)}?" if matches else ""


class UnknownModel(Refused):
    """No enabled provider has a model of this name."""

    code = "unknown_model"

    def __init__(self, model: str, near: Sequence[str] = ()) -> None:
        super().__init__(f"There is no model {model!r}.{_near(near)} GET /v1/models lists all of them.")
        self.near = tuple(near)


class UnknownProvider(Refused):
    """No enabled provider has this name."""

    code = "unknown_provider"

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(f"There is no provider {name!r}; there is {', '.join(known)}.")


class UnknownKind(Refused):
    """The kind does not exist, or the model cannot do it."""

    code = "unknown_kind"

    def __init__(self, kind: str, model: str, kinds: Sequence[str]) -> None:
        super().__init__(f"The model {model!r} does not do {kind!r}; it does {', '.join(kinds)}.")


class UnknownTask(Refused):
    """No task has this id."""

    code = "unknown_task"

    def __init__(self, task_id: UUID | str) -> None:
        super().__init__(f"There is no task {task_id}.")


class UnknownAsset(Refused):
    """No asset has this id."""

    code = "unknown_asset"

    def __init__(self, asset_id: UUID | str) -> None:
        super().__init__(f"There is no asset {asset_id}.")


class UnknownDelivery(Refused):
    """There is no webhook message of this id about this task."""

    code = "unknown_delivery"

    def __init__(self, delivery_id: UUID) -> None:
        super().__init__(
            f"There is no delivery {delivery_id} of this task. GET its /deliveries lists all of them."
        )


class IdempotencyKeyReuse(Refused):
    """The idempotency key was used before with another body."""

    code = "idempotency_key_reuse"

    def __init__(self, key: str) -> None:
        super().__init__(
            f"The Idempotency-Key {key!r} was used before with another body. Send a new key for a new task."
        )


class InvalidCursor(Refused):
    """A page cursor that this service did not make."""

    code = "invalid_cursor"

    def __init__(self) -> None:
        super().__init__(
            "The cursor was not made by this service for this list. Use `next_cursor` as it was given, with"
            " the same filters, or leave it out to start from the newest task."
        )


class UnknownKey(Refused):
    """No API key has this id, or several begin like this."""

    code = "unknown_key"

    def __init__(self, wanted: str, found: int = 0) -> None:
        many = f"{found} API keys begin" if found else "There is no API key whose id begins"
        super().__init__(f"{many} with {wanted!r}. `genpulse keys list` shows all of them.")


class NoWebhookSecret(Refused):
    """The API key has no webhook secret of its own."""

    code = "no_webhook_secret"

    def __init__(self, key_id: UUID) -> None:
        super().__init__(
            f"The API key {key_id} has no webhook secret of its own: webhooks.secret signs messages about its"
            " tasks."
        )


class SealingKeyMissing(Refused):
    """A secret would be kept, and nothing is there to seal it with."""

    code = "sealing_key_missing"

    def __init__(self) -> None:
        super().__init__(
            "webhooks.sealing_keys is empty, and secrets of API keys are kept sealed with it. Set"
            " GENPULSE_WEBHOOKS__SEALING_KEYS here and for every worker to what `openssl rand -base64 32` makes."
        )


class SealedSecret(Refused):
    """A webhook secret is kept that no key here opens."""

    code = "sealed_secret"

    def __init__(self, key_id: UUID, *, has_key: bool) -> None:
        why = (
            "is sealed with none of webhooks.sealing_keys"
            if has_key
            else "is sealed, and webhooks.sealing_keys is empty"
        )
        super().__init__(
            f"The webhook secret of the API key {key_id} {why}: set the one that it was sealed with, or give the"
            f" API key a new secret (genpulse keys webhook-secret rotate {key_id} --overlap 0)."
        )


class KeyLimitExceeded(Refused):
    """The API key may not do so much. `retry_after_s` is when it is worth asking again, in seconds."""

    code = "key_limit_exceeded"

    def __init__(self, detail: str, retry_after_s: int) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class UnknownHook(Refused):
    """No job tells about itself at this address."""

    code = "unknown_hook"

    def __init__(self) -> None:
        super().__init__("No job tells about itself at this address.")


class NoticeRefused(Refused):
    """A notice does not carry the signature of the vendor that it claims to come from."""

    code = "notice_refused"

    def __init__(self, provider: str) -> None:
        super().__init__(f"The notice is not signed as {provider} signs, or it is too old.")


class NotRetryable(Refused):
    """The task is not in a state from which it can run again."""

    code = "not_retryable"

    def __init__(self, task_id: UUID, status: str) -> None:
        super().__init__(f"The task {task_id} is {status}; only a failed task can run again.")


class MayBeCharged(Refused):
    """To run again, the task would be ordered anew, and what it ordered before may still run and be paid for.

    `provider` is whose account it was ordered from. `order` is what is open there, None where that is not kept.
    """

    code = "may_be_charged"

    def __init__(self, task_id: UUID, provider: str, order: OpenOrder | None = None) -> None:
        super().__init__(
            f"The task {task_id} may run at {provider} still, or be charged already: {_of_order(order)}."
            f" Look for it in {provider}'s own list of jobs first, and stop it there if it runs. To order it anew"
            ' all the same, and perhaps pay twice, send {"even_if_charged": true}'
            f" (genpulse tasks retry {task_id} --even-if-charged)."
        )
        self.provider = provider
        self.order = order


def _of_order(order: OpenOrder | None) -> str:
    if order is None:
        return "nobody knows how its last order ended"
    job = f", where it is the job {storable_line(order.job_id)}" if order.job_id else ""
    sent = f"{order.sent_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    return f"it was ordered at {sent} under the reference {order.reference}{job}, and nobody knows how that ended"


class DatabaseInUse(Refused):
    """The stamp of a database cannot be replaced while processes of GenPulse are connected."""

    code = "database_in_use"

    def __init__(self, connected: Sequence[str]) -> None:
        super().__init__(
            f"Processes are connected to this database: {', '.join(connected)}. Stop them first: they were started"
            " for the environment to which it belongs now."
        )


class PaidProviderRefused(Refused):
    """The provider costs money, and this environment (`place`) does not allow that."""

    code = "paid_provider_refused"

    def __init__(self, provider: str, place: str) -> None:
        name = provider.upper()
        super().__init__(
            f"{provider} costs money, and providers that do are switched off in {place}. Allow all of them:"
            f" providers.paid: true (GENPULSE_PROVIDERS__PAID=true); or this one:"
            f" GENPULSE_PROVIDERS__{name}__PAID=true."
        )


class ProviderNotConfigured(Refused):
    """The provider lacks what it needs here: `lacking` are settings such as `providers.fal.api_key`."""

    code = "provider_not_configured"

    def __init__(self, provider: str, lacking: Sequence[str]) -> None:
        variables = " and ".join(f"GENPULSE_{name.upper().replace('.', '__')} ({name})" for name in lacking)
        super().__init__(
            f"{provider} is not set up here, and nothing can be asked of it. Whoever runs this service has to set"
            f" {variables}, for the API and for the workers."
        )
        self.lacking = tuple(lacking)


class BudgetExceeded(Refused):
    """The task costs more than is left of today's budget. Amounts are in US dollars.

    `retry_after_s` is when the next day begins, in seconds.
    """

    code = "budget_exceeded"

    def __init__(self, spent_usd: Decimal, price_usd: Decimal, daily_usd: Decimal, retry_after_s: int) -> None:
        super().__init__(
            f"This costs {price_usd:f} USD, and {spent_usd:f} of today's {daily_usd:f} USD are spent or promised."
            " The day ends at 00:00 UTC; more is allowed by budget.daily_usd (GENPULSE_BUDGET__DAILY_USD)."
        )
        self.retry_after_s = retry_after_s


class ContentTooLarge(Refused):
    """More bytes than the limit allows. `limit_bytes` is that limit."""

    code = "content_too_large"

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(f"The content is larger than the limit of {limit_bytes:,} bytes.")
        self.limit_bytes = limit_bytes


class UploadIncomplete(Refused):
    """The client went away in the middle of an upload; nothing was kept."""

    code = "upload_incomplete"


class Unavailable(GenPulseError):
    """A service that GenPulse stands on is away. `retry_after_s` is a guess, in seconds."""

    code: ClassVar[str] = "unavailable"
    retry_after_s: ClassVar[int] = 5


class DatabaseUnavailable(Unavailable):
    """PostgreSQL does not answer."""

    code = "database_unavailable"


class ForeignDatabase(DatabaseUnavailable):
    """The database belongs to another environment: it is `theirs`, and this process is `ours`.

    `evidence` is how that is known, `stamped` whether it is the database's stamp. A process does not start with
    it; one that runs waits until its own database is back, as when it is away.
    """

    def __init__(self, theirs: str, ours: str, evidence: str, *, stamped: bool = True) -> None:
        super().__init__(
            f"This database belongs to {theirs} ({evidence}), and this process is {ours}. Nothing was written to"
            " it. Check GENPULSE_DATABASE_URL and ENV: each environment has a database of its own."
        )
        self.theirs = theirs
        self.ours = ours
        self.stamped = stamped


class CopiedDatabase(ForeignDatabase):
    """The database is not the one that was stamped for this environment, `ours`: a copy of it, or it was moved."""

    def __init__(self, ours: str, evidence: str) -> None:
        DatabaseUnavailable.__init__(
            self,
            f"This database is a copy of that of {ours}, or was moved ({evidence}). Nothing was written to it: two"
            " that work would run each task twice. If it is the original, moved or restored, and the other one is"
            " off for good: `genpulse env stamp --moved`. If it is a copy: `genpulse env stamp --copy` empties it"
            " of what would act. Either asks a person at a terminal.",
        )
        self.theirs = ours
        self.ours = ours
        self.stamped = True


class UnstampedDatabase(DatabaseUnavailable):
    """Nothing says to which environment the database belongs; this process is `ours`."""

    def __init__(self, ours: str) -> None:
        super().__init__(
            f"This database carries no stamp of its environment, and this process is {ours}. Nothing was written"
            f" to it. Check GENPULSE_DATABASE_URL; if this database is meant for {ours}, run `genpulse db upgrade`"
            f" and then `genpulse env stamp`, once, with ENV={ours}."
        )
        self.ours = ours


class StorageUnavailable(Unavailable):
    """The asset storage does not answer."""

    code = "storage_unavailable"


class StorageFull(StorageUnavailable):
    """There is no space left for assets."""

    code = "storage_full"
    retry_after_s = 60


class ClocksDiffer(Unavailable):
    """This host's clock is `ahead_s` seconds ahead of the database's, which is too far for what was to be done."""

    code = "clocks_differ"
    retry_after_s = 60

    def __init__(self, ahead_s: float) -> None:
        where = "ahead of" if ahead_s > 0 else "behind"
        super().__init__(
            f"This host's clock is {abs(ahead_s):,.0f} s {where} the database's; at most a minute is expected."
            " Nothing is removed because of its age. Let both hosts follow a time server."
        )
        self.ahead_s = ahead_s


class StorageLost(GenPulseError):
    """Bytes that were to be read are not there and never come back: waiting for them would be for ever.

    The bytes of an asset that are gone or cut off, or a file of an engine that does not exist or cannot be read.
    """


class LeaseLost(GenPulseError):
    """Another worker has taken the task over, or the task has ended; the write was not done."""


class TaskCanceled(GenPulseError):
    """The task was canceled while it ran."""


class ProviderError(GenPulseError):
    """Why an attempt failed. The class gives the defaults of its failure; an instance may differ.

    `charged` says whether money was taken; `retry_after_s` is the wait the provider asked for, in seconds.
    A message loses the queries of the URLs in it, as signatures stand there.
    """

    code: ClassVar[FailureCode] = FailureCode.INTERNAL
    retryable: ClassVar[bool] = False
    who_must_act: ClassVar[Actor] = Actor.OPERATOR

    def __init__(self, message: str, *, charged: Charged = Charged.NO, retry_after_s: float | None = None) -> None:
        self.message = unsigned(message)
        super().__init__(self.message)
        self.charged = charged
        self.retry_after_s = retry_after_s

    @property
    def failure(self) -> Failure:
        """The same as a value that is stored and shown."""
        return Failure(
            self.code, self.message, self.retryable, self.charged, self.who_must_act, self.retry_after_s
        )


class InvalidInput(ProviderError):
    """The provider does not take this input; sending it again would not help."""

    code = FailureCode.INVALID_INPUT
    who_must_act = Actor.CALLER


class ModerationBlocked(ProviderError):
    """The provider's moderation refused the input or the output."""

    code = FailureCode.MODERATION_BLOCKED
    who_must_act = Actor.CALLER


class ProviderRejected(ProviderError):
    """The provider refused the job for a reason of its own."""

    code = FailureCode.PROVIDER_REJECTED
    who_must_act = Actor.OPERATOR


class ProviderUnavailable(ProviderError):
    """The provider is down or cannot be reached; the request was definitely not taken."""

    code = FailureCode.PROVIDER_UNAVAILABLE
    retryable = True
    who_must_act = Actor.PROVIDER


class ProviderUnreachable(ProviderUnavailable):
    """No connection to the provider was made, so that it was not asked."""


class RateLimited(ProviderError):
    """The provider asked to slow down."""

    code = FailureCode.RATE_LIMITED
    retryable = True
    who_must_act = Actor.NOBODY


class QuotaExhausted(ProviderError):
    """The account has no credit left."""

    code = FailureCode.QUOTA_EXHAUSTED
    who_must_act = Actor.OPERATOR


class AuthenticationFailed(ProviderError):
    """The provider did not take the API key."""

    code = FailureCode.AUTHENTICATION_FAILED
    who_must_act = Actor.OPERATOR


class SpendingNotAllowed(ProviderError):
    """The provider costs money, and this environment does not allow that; it was not asked."""

    code = FailureCode.PAID_PROVIDER_REFUSED
    who_must_act = Actor.OPERATOR


class OverBudget(ProviderError):
    """The provider costs more than is left of today's budget; it was not asked."""

    code = FailureCode.BUDGET_EXCEEDED
    who_must_act = Actor.OPERATOR


class TimedOut(ProviderError):
    """The provider took longer than it may."""

    code = FailureCode.TIMEOUT
    retryable = True
    who_must_act = Actor.PROVIDER


class JobOverdue(ProviderError):
    """The provider has taken a job and does not end it; another one might be paid for too."""

    code = FailureCode.TIMEOUT
    who_must_act = Actor.PROVIDER


class UnknownOutcome(ProviderError):
    """The request was sent and its answer got lost: it may have been done and charged."""

    code = FailureCode.UNKNOWN_OUTCOME
    who_must_act = Actor.OPERATOR

    def __init__(
        self, message: str, *, charged: Charged = Charged.MAYBE, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message, charged=charged, retry_after_s=retry_after_s)


class OutputUnavailable(ProviderError):
    """The provider says that it is done, yet its output cannot be fetched."""

    code = FailureCode.OUTPUT_UNAVAILABLE
    who_must_act = Actor.PROVIDER


class QuestionRefused(ProviderError):
    """The provider does not answer a question about an order; what became of the order is as open as before.

    `because` is what the refusal would mean by itself, `missing` that the provider knows of no such job: not
    yet, or not any more, and `denied` that we may not ask, as when a wall for robots stands before it. Money is
    never known to be saved by it, so that `charged` is `maybe`.
    """

    retryable = True

    def __init__(
        self,
        message: str,
        *,
        because: FailureCode = FailureCode.PROVIDER_UNAVAILABLE,
        missing: bool = False,
        denied: bool = False,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message, charged=Charged.MAYBE, retry_after_s=retry_after_s)
        self.because = because
        self.missing = missing
        self.denied = denied

    @property
    def failure(self) -> Failure:
        """What the refusal would mean by itself, and nothing about money."""
        actor = _ACTORS.get(self.because, Actor.OPERATOR)
        return Failure(self.because, self.message, self.retryable, self.charged, actor, self.retry_after_s)


_ACTORS = {FailureCode.PROVIDER_UNAVAILABLE: Actor.PROVIDER, FailureCode.RATE_LIMITED: Actor.NOBODY}
