"""OpenAI, and every server that speaks like it: Azure OpenAI, vLLM-Omni, SGLang, LocalAI, Xinference, gateways.

One adapter under as many names as an operator gives it. Wire formats: read in the source of the package `openai`
3.54.0 (certain); what other servers add or leave out: their documentation.
"""

from collections.abc import Mapping
from urllib.parse import urlsplit

from genpulse.provider import AnyModel, Model, Provider, ProviderSettings
from genpulse.providers.openai_compatible.images import BackgroundImages, Images
from genpulse.providers.openai_compatible.inputs import ImageInput, SpeechInput, VideoInput
from genpulse.providers.openai_compatible.refusals import explainer
from genpulse.providers.openai_compatible.speech import Speech
from genpulse.providers.openai_compatible.videos import Videos
from genpulse.vendor import Account

OPENAI_URL = "https://api.openai.com/v1"
OPENAI_MODELS: Mapping[str, str] = {
    "gpt-image-1-mini": "image",
    "gpt-image-1.5": "image",
    "gpt-image-2": "image",
    "gpt-image-2.5-flare": "image",
    "gpt-image-2.5-sunburst": "image",
    "gpt-image-2.6-flare": "image",
    "gpt-image-2.6-sunburst": "image",
    "gpt-4o-mini-tts": "speech",
}
"""As the package `openai` 3.54.0 names them; others are added in the configuration."""
_NAMES = (
    "/audio",
    "/batches",
    "/chat",
    "/completions",
    "/containers",
    "/conversations",
    "/embeddings",
    "/files",
    "/images",
    "/models",
    "/responses",
    "/uploads",
    "/v1",
    "/videos",
)
"""Where such a server answers about the account (the package `openai` 3.54.0)."""


def openai(settings: ProviderSettings) -> Provider:
    """OpenAI itself: only its key has to be configured."""
    models = {**OPENAI_MODELS, **settings.models}
    return _provider(settings, "openai", settings.base_url or OPENAI_URL, models, paid=True)


def provider(settings: ProviderSettings) -> Provider:
    """Any server, under the name that the operator gave it. Raises `ValueError` without an address."""
    if not settings.base_url:
        raise ValueError(
            f"providers.{settings.name}.base_url has to say where the server is, such as http://host:8000/v1"
        )
    paid = settings.options.get("paid") is True
    return _provider(settings, settings.name, settings.base_url, settings.models, paid=paid)


def _provider(
    settings: ProviderSettings, name: str, base_url: str, models: Mapping[str, str], *, paid: bool
) -> Provider:
    azure = settings.options.get("azure") is True
    version = settings.options.get("api_version")
    account = Account(
        settings.http,
        base_url.rstrip("/"),
        _headers(settings, azure=azure),
        explainer(name),
        {"api-version": str(version)} if version else {},
        api_paths=_api_paths(base_url),
        allowed_hosts=settings.allowed_hosts,
    )
    secret = settings.options.get("webhook_secret")

    def build(model: str, what: str) -> AnyModel:
        return _model(account, model, what, str(secret) if secret else None)

    async def probe() -> str:
        listed = (await account.probe("GET", "/models")).document().get("data")
        return f"{len(listed) if isinstance(listed, list) else 0} models are listed"

    return Provider(
        name,
        tuple(build(model, what) for model, what in models.items()),
        title="OpenAI" if name == "openai" else name,
        paid=paid,
        configured=settings.api_key is not None or not paid,
        probe=probe,
    )


def _api_paths(base_url: str) -> tuple[str, ...] | None:
    """All below the base URL; where that has no path of its own, what the protocol names."""
    return None if urlsplit(base_url).path.strip("/") else _NAMES


def _headers(settings: ProviderSettings, *, azure: bool) -> dict[str, str]:
    if not settings.api_key:
        return {}
    return {"api-key": settings.api_key} if azure else {"Authorization": f"Bearer {settings.api_key}"}


def _model(account: Account, model: str, what: str, secret: str | None) -> AnyModel:
    match what:
        case "image":
            kinds = ("text-to-image", "image-to-image")
            return Model(
                model, kinds, ImageInput, Images(account, model), model, "Pictures, from words or pictures."
            )
        case "background":
            engine = BackgroundImages(account, model, secret)
            return Model(model, ("text-to-image",), ImageInput, engine, model, "Pictures, made in the background.")
        case "speech":
            return Model(model, ("text-to-speech",), SpeechInput, Speech(account, model), model, "Spoken words.")
        case "video":
            kinds = ("text-to-video", "image-to-video")
            return Model(
                model, kinds, VideoInput, Videos(account, model), model, "Video, from words or a picture."
            )
        case _:
            raise ValueError(
                f"the model {model!r} is to do {what!r}; it can do image, background, speech or video"
            )
