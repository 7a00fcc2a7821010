"""API keys: what there are, what they have done, and making and revoking them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from genpulse.api.errors import BeyondOwnKey, OwnKey
from genpulse.api.schemas.api_keys import NewKeyDocument
from genpulse.console import changes
from genpulse.console.console import Console
from genpulse.console.forms.posted_form import PageForm
from genpulse.console.visit import Visit
from genpulse.domain.errors import BadInput, Problem
from genpulse.domain.keys.api_key import ApiKey, KeyState, Scope, Token, digest_of
from genpulse.domain.keys.key_grant import excess
from genpulse.domain.money.allowance import ScopeUsage

_LIMITS = ("max_active_tasks", "daily_tasks", "daily_usd", "monthly_usd", "rate", "max_priority")
_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A key, how it stands, and what it has done."""

    key: ApiKey
    state: KeyState
    usage: ScopeUsage
    is_own: bool


async def show(visit: Visit) -> Response:
    """The page, newest first. Raises `InsufficientScope`, `DatabaseUnavailable`."""
    visit.require(Scope.ADMIN)
    return await _page(visit)


async def create(console: Console, request: Request) -> Response:
    """Make a key and show its secret, this once; what does not fit is told in the form."""
    visit, form = await changes.opened(console, request)
    visit.require(Scope.ADMIN)
    changes.check_name(visit, form)
    try:
        return await changes.noted(visit, "key.create", form.get("name"), lambda: _created(visit, form))
    except (BadInput, BeyondOwnKey) as error:
        return await _page(visit, typed=dict(form.fields), error=error)


async def _created(visit: Visit, form: PageForm) -> Response:
    """Raises `BadInput`, `BeyondOwnKey`, `DatabaseUnavailable`."""
    services, giver = visit.services, visit.viewer.caller.key
    token = Token.new(visit.viewer.environment.api_key_prefix)
    key = _document(form).key(services.new_id(), token.hint, services.now())
    if giver is not None and (exceeding := excess(giver, key)):
        raise BeyondOwnKey(exceeding)
    await services.keys.add(key, digest_of(token.text))
    return visit.page("key_created.html", "A new key", key=key, secret=token.text)


def _document(form: PageForm) -> NewKeyDocument:
    """Raises `BadInput`."""
    limits: dict[str, object] = {name: value for name in _LIMITS if (value := form.get(name).strip())}
    for name in ("max_active_tasks", "daily_tasks"):
        if name in limits:
            limits[name] = _whole(name, str(limits[name]))
    fields: dict[str, object] = {
        "name": form.get("name").strip(),
        "scopes": [value for name, value in form.fields if name == "scope"],
        "limits": limits,
    }
    if days := form.get("expires_in_days").strip():
        fields["expires_in_s"] = _whole("expires_in_days", days) * _DAY_S
    try:
        return NewKeyDocument.model_validate(fields)
    except ValidationError as error:
        problems = [
            Problem("/" + "/".join(map(str, item["loc"])), item["msg"])
            for item in error.errors(include_url=False, include_input=False)
        ]
        raise BadInput("The key cannot be made like this.", problems) from error


def _whole(name: str, typed: str) -> int:
    try:
        return int(typed)
    except ValueError:
        raise BadInput("The key cannot be made like this.", [Problem(f"/{name}", "a whole number")]) from None


async def revoke(visit: Visit, _form: PageForm) -> Response:
    """Revoke a key, which is not one's own. Raises `OwnKey`, `UnknownKey`, `DatabaseUnavailable`."""
    key_id: UUID = visit.request.path_params["key_id"]
    own = visit.viewer.caller.key
    if own is not None and own.id == key_id:
        raise OwnKey
    await visit.services.keys.revoke(str(key_id), visit.services.now())
    return visit.redirect("/keys?said=done")


async def _page(
    visit: Visit, typed: Mapping[str, str] | None = None, error: BadInput | BeyondOwnKey | None = None
) -> Response:
    services, own = visit.services, visit.viewer.caller.key
    all_keys, now = await services.keys.all(), services.now()
    usages = await services.keys.usages([key.id for key in all_keys])
    rows: Sequence[KeyRow] = [
        KeyRow(key, key.state(now), usages.get(key.id, ScopeUsage()), own is not None and own.id == key.id)
        for key in reversed(all_keys)
    ]
    problems = error.problems if error else ()
    return visit.page(
        "keys.html",
        "Keys",
        status=422 if error else 200,
        rows=sorted(rows, key=lambda row: row.state is not KeyState.ACTIVE),
        scopes=tuple(Scope),
        typed=typed or {},
        refused=str(error) if error else "",
        problems=problems,
        keyless=own is None,
    )
