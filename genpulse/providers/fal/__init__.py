"""fal: any of its apps, as `fal/owner/app` with whatever path comes behind."""

from genpulse.domain.errors import (
    AuthenticationFailed,
    InvalidInput,
    ModerationBlocked,
    ProviderError,
    ProviderRejected,
)
from genpulse.domain.failure import Charged
from genpulse.domain.json_value import JsonValue
from genpulse.freeform import KINDS, FreeInput
from genpulse.provider import AnyModel, Model, Provider, ProviderSettings
from genpulse.providers.fal.engine import Requests
from genpulse.providers.fal.notices import JWKS_URL, Verifier
from genpulse.vendor import Account, refusal
from genpulse.wire import AnswerLost, Reply

BASE_URL = "https://queue.fal.run"
_NOBODYS = "00000000-0000-0000-0000-000000000000"
LISTED = ("fal-ai/flux/schnell", "fal-ai/flux/dev", "fal-ai/kokoro/american-english")
"""A few apps, so that the catalogue shows how they are named; all others work as well."""


def provider(settings: ProviderSettings) -> Provider:
    """The plug-in. `options.jwks_url` is where the keys are by which notices are verified."""
    headers = {"Authorization": f"Key {settings.api_key}"} if settings.api_key else {}
    account = Account(
        settings.http,
        (settings.base_url or BASE_URL).rstrip("/"),
        headers,
        _explain,
        api_paths=(),
        allowed_hosts=settings.allowed_hosts,
    )
    verifier = Verifier(settings.http, str(settings.options.get("jwks_url") or JWKS_URL))

    def find_model(name: str) -> AnyModel | None:
        if "/" not in name or ":" in name:
            return None
        engine = Requests(account, verifier, name)
        return Model(name, KINDS, FreeInput, engine, name, "An app of fal; its input is passed on.")

    models = tuple(model for name in LISTED if (model := find_model(name)))

    async def probe() -> str:
        """fal has no call for it: a request that does not exist is unknown to whoever has a key."""
        try:
            await account.probe("GET", f"/fal-ai/flux/requests/{_NOBODYS}/status")
        except AuthenticationFailed:
            raise
        except (InvalidInput, ProviderRejected):
            return "the key is taken"
        return "it answers"

    return Provider(
        "fal",
        models,
        title="fal",
        paid=True,
        find_model=find_model,
        configured=settings.api_key is not None,
        probe=probe,
    )


def _explain(reply: Reply) -> ProviderError | None:
    """Refusals carry `detail`: a text, or a list of what does not fit."""
    if reply.status in {401, 403}:
        return AuthenticationFailed(
            f"fal does not take the key ({reply.excerpt()}). Set GENPULSE_PROVIDERS__FAL__API_KEY."
        )
    try:
        detail = reply.document().get("detail")
    except AnswerLost:
        return None
    if isinstance(detail, list):
        return _problems(detail)
    return refusal(reply, detail) if isinstance(detail, str) else None


def _problems(detail: "list[JsonValue]") -> ProviderError:
    problems = [problem for problem in detail if isinstance(problem, dict)]
    words = "; ".join(f"{_place(problem.get('loc'))}: {problem.get('msg')}" for problem in problems)
    if any(problem.get("type") == "content_policy_violation" for problem in problems):
        return ModerationBlocked(f"The app refused: {words}", charged=Charged.MAYBE)
    return InvalidInput(f"The app does not take the input: {words}")


def _place(loc: JsonValue) -> str:
    return "/".join(str(part) for part in loc) if isinstance(loc, list) else str(loc)
