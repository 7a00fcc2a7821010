"""Replicate: any of its models, as `replicate/owner/name` or `replicate/owner/name:version`."""

from pathlib import Path

from genpulse.provider import AnyModel, Model, ModelBuilder, ModelEntry, Provider, ProviderSettings
from genpulse.provider.account import Account
from genpulse.provider.passthrough import KINDS, DeclaredInput, FreeInput
from genpulse.providers.replicate.engine import Predictions
from genpulse.providers.replicate.notices import Verifier
from genpulse.providers.replicate.output_schema import OutputSchemas
from genpulse.providers.replicate.refusals import explain

BASE_URL = "https://api.replicate.com"
MODELS = Path(__file__).with_name("models.yaml")
EARLY = frozenset({429})
"""Statuses by which Replicate refuses before it takes anything: "Request was throttled" comes from its door, and
its JavaScript client sends a POST again after a 429 and after nothing else (read in `replicate` for
JavaScript)."""


def provider(settings: ProviderSettings) -> Provider:
    """The plug-in. `options.webhook_secret` verifies notices; it is asked for where it is not given."""
    headers = {"Authorization": f"Bearer {settings.api_key}"} if settings.api_key else {}
    base_url = (settings.base_url or BASE_URL).rstrip("/")
    account = Account(
        settings.http,
        base_url,
        headers,
        explain,
        early=EARLY,
        result_paths=("/v1/files/",),
        api_paths=("/v1",),
        allowed_hosts=settings.allowed_hosts,
    )
    secret = settings.options.get("webhook_secret")
    verifier = Verifier(account, str(secret) if secret else None)
    schemas = OutputSchemas(account)

    def find_model(name: str) -> AnyModel | None:
        path, _, version = name.partition(":")
        if path.count("/") != 1 or not all(path.split("/")) or name.endswith(":"):
            return None
        engine = Predictions(account, verifier, schemas, path, version or None)
        return Model(name, KINDS, FreeInput, engine, name, "A model of Replicate; its input is passed on.")

    def build(entry: ModelEntry) -> AnyModel:
        if model := find_model(entry.id):
            return model
        raise ValueError("a model of Replicate is named owner/name, or owner/name:version")

    builder = ModelBuilder(build, {"FreeInput": FreeInput}, DeclaredInput)

    async def probe() -> str:
        account_document = (await account.probe("GET", "/v1/account")).document()
        return f"account {account_document.get('username') or 'without a name'}"

    return Provider(
        "replicate",
        builder.models_of(MODELS),
        title="Replicate",
        paid=True,
        find_model=find_model,
        configured=settings.api_key is not None,
        probe=probe,
        builder=builder,
    )
