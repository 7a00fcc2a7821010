"""What is understood, and not allowed here or now."""

from collections.abc import Sequence
from datetime import UTC
from uuid import UUID

from genpulse.domain.errors.refused import Problem, Refused
from genpulse.domain.money.allowance import LimitUse
from genpulse.domain.task import OpenOrder
from genpulse.domain.text.storable import storable_line


class KeyLimitExceeded(Refused):
    """The API key may not do so much.

    `retry_after_s` is when it is worth asking again, in seconds. `use` is the limit.
    """

    code = "key_limit_exceeded"

    def __init__(self, detail: str, retry_after_s: int, use: LimitUse | None = None) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s
        self.use = use


class CustomerLimitExceeded(KeyLimitExceeded):
    """An end customer of the API key may not do so much; its other customers may go on."""

    code = "customer_limit_exceeded"


class ClientTokenUsedUp(Refused):
    """The client token was good for so much and no more, and that never begins anew. `use` is what is used up."""

    code = "client_token_used_up"

    def __init__(self, detail: str, use: LimitUse | None = None) -> None:
        super().__init__(detail)
        self.use = use


class OutsideClientToken(Refused):
    """The client token is good for something else. `problems` say where in the body."""

    code = "outside_client_token"

    def __init__(self, detail: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__(detail)
        self.problems = tuple(problems)


class NotRetryable(Refused):
    """The task is not in a state from which it can run again."""

    code = "not_retryable"

    def __init__(self, task_id: UUID, status: str) -> None:
        super().__init__(f"The task {task_id} is {status}; only a failed task can run again.")


class TaskDeleted(Refused):
    """The idempotency key is of a task that was deleted: what it asked for may have been done and paid for.

    `place` is where the order stands in a batch. `batch_id` is a batch that the key stands for as a whole and
    that has lost tasks.
    """

    code = "task_deleted"

    def __init__(self, key: str, place: str = "", *, batch_id: UUID | None = None) -> None:
        if batch_id is None:
            what, new = f"The task of the Idempotency-Key {key!r} was", "task"
        else:
            what, new = f"Tasks of the batch {batch_id}, which has the Idempotency-Key {key!r}, were", "batch"
        super().__init__(
            f"{what} deleted, and nothing is done again without being asked for. Send a new key for a new {new}."
        )
        self.key = key
        said = "its task was deleted, and is not done again under this key"
        self.problems = (Problem(f"{place}/idempotency_key", said),) if place else ()


class AssetInUse(Refused):
    """A task that has not ended needs the asset."""

    code = "asset_in_use"

    def __init__(self, asset_id: UUID, task_id: UUID) -> None:
        super().__init__(
            f"The asset {asset_id} is needed by the task {task_id}, which has not ended. Wait for its end, or"
            " cancel or delete that task first."
        )
        self.task_id = task_id


class UploadAddressUsed(Refused):
    """The address took a file already, and takes no other one."""

    code = "upload_address_used"

    def __init__(self, asset_id: UUID) -> None:
        super().__init__(
            f"By this address a file was brought already: asset:{asset_id}. It takes no other one; ask for a new"
            " address."
        )


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
    if not order.can_be_looked_up:
        return "the database was restored from a backup, and nobody knows whether it was ordered between the two"
    job = f", where it is the job {storable_line(order.job_id)}" if order.job_id else ""
    when = f"{order.sent_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    return f"it was ordered at {when} under the reference {order.reference}{job}, and nobody knows how that ended"


class PaidProviderRefused(Refused):
    """The provider costs money, and this environment does not allow that. `place` is its name."""

    code = "paid_provider_refused"

    def __init__(self, provider: str, place: str) -> None:
        name = provider.upper()
        super().__init__(
            f"{provider} costs money, and providers that do are switched off in {place}. Allow all of them:"
            f" providers.paid: true (GENPULSE_PROVIDERS__PAID=true); or this one:"
            f" GENPULSE_PROVIDERS__{name}__PAID=true."
        )


class ProviderNotConfigured(Refused):
    """The provider is not set up here. `lacking` are settings such as `providers.fal.api_key`."""

    code = "provider_not_configured"

    def __init__(self, provider: str, lacking: Sequence[str]) -> None:
        variables = " and ".join(f"GENPULSE_{name.upper().replace('.', '__')} ({name})" for name in lacking)
        super().__init__(
            f"{provider} is not set up here, and nothing can be asked of it. Whoever runs this service has to set"
            f" {variables}, for the API and for the workers."
        )
        self.lacking = tuple(lacking)


class BudgetExceeded(Refused):
    """The task costs more than is left of a budget of the environment or of its provider.

    `retry_after_s` is when the next day or month begins, in seconds. `use` is the budget.
    """

    code = "budget_exceeded"

    def __init__(self, detail: str, retry_after_s: int, use: LimitUse | None = None) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s
        self.use = use
