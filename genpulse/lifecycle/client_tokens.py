"""Making client tokens, and letting files be brought by one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from genpulse.domain.assets.upload_grant import UploadGrant, is_within
from genpulse.domain.errors import (
    BadInput,
    ClientTokenUsedUp,
    CustomerMissing,
    OutsideClientToken,
    Problem,
    UnknownModel,
    UnknownTask,
)
from genpulse.domain.keys.api_key import Token, digest_of
from genpulse.domain.keys.caller import Caller
from genpulse.domain.keys.client_token import ClientToken, OrderTerms, prefix_of
from genpulse.domain.money.allowance import BudgetScope, ScopeKind, ScopeUsage
from genpulse.ports import Services


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A client token that is asked for: for these tasks, or for such orders."""

    expires_in_s: int
    tasks: tuple[UUID, ...] = ()
    orders: OrderTerms | None = None
    may_cancel: bool = True


async def create(services: Services, caller: Caller, request: TokenRequest) -> tuple[ClientToken, Token]:
    """Make a client token, and its secret, which is not kept.

    It lasts no longer than the caller's key. Raises `BadInput` with all that it cannot be good for,
    `CustomerMissing`, `DatabaseUnavailable`.
    """
    told = [await _task(services, caller, place, task_id) for place, task_id in enumerate(request.tasks)]
    problems = [problem for problem in told if problem is not None]
    if request.orders is not None:
        problems += _orders(services, caller, request.orders)
    if problems:
        raise BadInput("No such client token can be made.", problems)
    now = await services.store.now()
    expires_at = now + timedelta(seconds=request.expires_in_s)
    if caller.key is not None and caller.key.expires_at is not None:
        expires_at = min(expires_at, caller.key.expires_at)
    token = ClientToken(
        services.new_id(),
        caller.owner,
        now,
        expires_at,
        frozenset(request.tasks),
        request.orders,
        may_cancel=request.may_cancel,
    )
    secret = Token.new(prefix_of(services.environment.api_key_prefix))
    await services.keys.client_tokens.add(token, digest_of(secret.text))
    return token, secret


async def usages_of(services: Services, tokens: Sequence[ClientToken]) -> Mapping[UUID, ScopeUsage]:
    """What was done by each of them. Raises `DatabaseUnavailable`."""
    scopes = {token.id: BudgetScope(ScopeKind.CLIENT_TOKEN, str(token.id)) for token in tokens}
    counted = await services.store.counted(list(scopes.values()))
    return {token_id: counted.usage_of(scope.counter) for token_id, scope in scopes.items()}


async def promise_upload(services: Services, token: ClientToken, grant: UploadGrant) -> None:
    """Let a file be brought by it. Raises `OutsideClientToken`, `ClientTokenUsedUp`, `DatabaseUnavailable`."""
    terms = token.orders.uploads if token.orders else None
    if terms is None or not is_within(grant.media_type, terms.media_type) or grant.max_bytes > terms.max_bytes:
        raise OutsideClientToken("This client token is good for no such file.")
    if not await services.keys.client_tokens.promise_upload(token.id, grant.asset_id):
        raise ClientTokenUsedUp(f"This client token was good for {terms.files} files, and they were asked for.")


async def _task(services: Services, caller: Caller, place: int, task_id: UUID) -> Problem | None:
    try:
        if caller.sees_task(await services.store.get(task_id)):
            return None
    except UnknownTask:
        pass
    return Problem(f"/tasks/{place}", f"there is no task {task_id}")


def _orders(services: Services, caller: Caller, orders: OrderTerms) -> list[Problem]:
    """Raises `CustomerMissing`."""
    limit_by = caller.limits.limit_by
    if limit_by is not None and not orders.metadata.get(limit_by):
        raise CustomerMissing(limit_by)
    problems = []
    for place, name in enumerate(orders.models):
        if services.routes.get(name) is None:
            try:
                services.catalogue.model(name)
            except UnknownModel as error:
                problems.append(Problem(f"/models/{place}", str(error)))
    if orders.webhook_url is not None and (why := services.sender.refusal(orders.webhook_url)):
        problems.append(Problem("/webhook_url", f"no message is ever sent there: {why}"))
    return problems
