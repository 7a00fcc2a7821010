"""Replicate: any of its models, as `replicate/owner/name` or `replicate/owner/name:version`."""

from genpulse.domain.errors import AuthenticationFailed, ProviderError
from genpulse.freeform import KINDS, FreeInput
from genpulse.provider import AnyModel, Model, Provider, ProviderSettings
from genpulse.providers.replicate.engine import Predictions
from genpulse.providers.replicate.notices import Verifier
from genpulse.vendor import Account, refusal
from genpulse.wire import Reply

BASE_URL = "https://api.replicate.com"
LISTED = ("black-forest-labs/flux-schnell", "black-forest-labs/flux-1.1-pro", "minimax/video-01")
"""A few official models, so that the catalogue shows how they are named; all others work as well."""


def provider(settings: ProviderSettings) -> Provider:
    """The plug-in. `options.webhook_secret` verifies notices; it is asked for where it is not given."""
    headers = {"Authorization": f"Bearer {settings.api_key}"} if settings.api_key else {}
    base_url = (settings.base_url or BASE_URL).rstrip("/")
    account = Account(
        settings.http,
        base_url,
        headers,
        _explain,
        result_paths=("/v1/files/",),
        api_paths=("/v1",),
        allowed_hosts=settings.allowed_hosts,
    )
    secret = settings.options.get("webhook_secret")
    verifier = Verifier(account, str(secret) if secret else None)

    def find_model(name: str) -> AnyModel | None:
        path, _, version = name.partition(":")
        if path.count("/") != 1 or not all(path.split("/")) or name.endswith(":"):
            return None
        engine = Predictions(account, verifier, path, version or None)
        return Model(name, KINDS, FreeInput, engine, name, "A model of Replicate; its input is passed on.")

    models = tuple(model for name in LISTED if (model := find_model(name)))

    async def probe() -> str:
        account_document = (await account.probe("GET", "/v1/account")).document()
        return f"account {account_document.get('username')}"

    return Provider(
        "replicate",
        models,
        title="Replicate",
        paid=True,
        find_model=find_model,
        configured=settings.api_key is not None,
        probe=probe,
    )


def _explain(reply: Reply) -> ProviderError | None:
    """Refusals are RFC 7807 documents with `detail`."""
    if reply.status in {401, 403}:
        return AuthenticationFailed(
            f"Replicate does not take the key ({reply.excerpt()}). Set GENPULSE_PROVIDERS__REPLICATE__API_KEY."
        )
    if "detail" in reply.excerpt() and reply.headers.get("content-type", "").startswith("application/"):
        return refusal(reply, str(reply.document().get("detail")))
    return None
