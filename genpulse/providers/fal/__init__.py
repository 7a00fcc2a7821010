"""fal: any of its apps, as `fal/owner/app` with whatever path comes behind."""

from pathlib import Path

from genpulse.domain.errors import InvalidInput
from genpulse.provider import AnyModel, Model, ModelBuilder, ModelEntry, Provider, ProviderSettings
from genpulse.provider.account import Account
from genpulse.provider.passthrough import KINDS, DeclaredInput, FreeInput
from genpulse.providers.fal.engine import Requests
from genpulse.providers.fal.notices import JWKS_URL, Verifier
from genpulse.providers.fal.refusals import explain

BASE_URL = "https://queue.fal.run"
_NOBODYS = "00000000-0000-0000-0000-000000000000"
MODELS = Path(__file__).with_name("models.yaml")
EARLY = frozenset({429})
"""Statuses by which fal refuses before its queue: it counts requests at its door, and its clients send a submit
again after a 429 (read in `fal-client` 1.0.3 and `@fal-ai/client` 1.10.1). They do so after 502, 503 and 504 too,
but a gateway answers those when it has passed the request on as well, so that these prove nothing."""


def provider(settings: ProviderSettings) -> Provider:
    """The plug-in. `options.jwks_url` is where the keys are by which notices are verified."""
    headers = {"Authorization": f"Key {settings.api_key}"} if settings.api_key else {}
    account = Account(
        settings.http,
        (settings.base_url or BASE_URL).rstrip("/"),
        headers,
        explain,
        early=EARLY,
        api_paths=(),
        allowed_hosts=settings.allowed_hosts,
    )
    verifier = Verifier(settings.http, str(settings.options.get("jwks_url") or JWKS_URL))

    def find_model(name: str) -> AnyModel | None:
        if "/" not in name or ":" in name:
            return None
        engine = Requests(account, verifier, name)
        return Model(name, KINDS, FreeInput, engine, name, "An app of fal; its input is passed on.")

    def build(entry: ModelEntry) -> AnyModel:
        if model := find_model(entry.id):
            return model
        raise ValueError("an app of fal is named owner/app, perhaps with a path behind it")

    builder = ModelBuilder(build, {"FreeInput": FreeInput}, DeclaredInput)

    async def probe() -> str:
        """Ask for a request that does not exist: fal has no other call that proves the key."""
        try:
            await account.probe("GET", f"/fal-ai/flux/requests/{_NOBODYS}/status")
        except InvalidInput:
            return "the key is taken"
        return "it answers"

    return Provider(
        "fal",
        builder.models_of(MODELS),
        title="fal",
        paid=True,
        find_model=find_model,
        configured=settings.api_key is not None,
        probe=probe,
        builder=builder,
    )
