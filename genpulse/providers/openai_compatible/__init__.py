"""OpenAI, and every server that speaks like it: Azure OpenAI, vLLM-Omni, SGLang, LocalAI, Xinference, gateways.

One adapter under as many names as an operator gives it. Wire formats: read in the source of the package `openai`
3.54.0 (certain); what other servers add or leave out: their documentation.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from genpulse.domain.kind import by_source
from genpulse.provider import AnyModel, Engine, Model, ModelBuilder, ModelEntry, Provider, ProviderSettings
from genpulse.provider.account import Account
from genpulse.provider.status_words import StatusWords
from genpulse.providers.openai_compatible.background import BackgroundImages
from genpulse.providers.openai_compatible.images import Images
from genpulse.providers.openai_compatible.inputs import ImageInput, SpeechInput, VideoInput, billed
from genpulse.providers.openai_compatible.refusals import Refusals
from genpulse.providers.openai_compatible.speech import Speech
from genpulse.providers.openai_compatible.standing import WORDS
from genpulse.providers.openai_compatible.videos import Videos

OPENAI_URL = "https://api.openai.com/v1"
MODELS = Path(__file__).with_name("models.yaml")
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
EARLY = frozenset({429})
"""Statuses by which an order is refused before it is taken: limits of rate and of quota are looked at first, and
the official client sends a POST again after a 429 (read in `openai` 3.54.0). It does so after 408, 409 and 5xx
too, which servers and gateways also answer when a picture was made, so that these prove nothing."""
_ENDS = ("done", "failed", "running")


def openai(settings: ProviderSettings) -> Provider:
    """OpenAI itself: only its key has to be configured."""
    return _provider(settings, "openai", settings.base_url or OPENAI_URL, MODELS, paid=True)


def provider(settings: ProviderSettings) -> Provider:
    """Any server, under the name that the operator gave it. Raises `ValueError` without an address."""
    if not settings.base_url:
        raise ValueError(
            f"providers.{settings.name}.base_url has to say where the server is, such as http://host:8000/v1"
        )
    paid = settings.options.get("paid") is True
    return _provider(settings, settings.name, settings.base_url, None, paid=paid)


def _provider(settings: ProviderSettings, name: str, base_url: str, file: Path | None, *, paid: bool) -> Provider:
    refusals = Refusals(name)
    account = _account(settings, base_url, refusals)

    def build(entry: ModelEntry) -> AnyModel:
        return _model(settings, account, refusals, entry.id, entry.does)

    async def probe() -> str:
        listed = (await account.probe("GET", "/models")).document().get("data")
        return f"{len(listed) if isinstance(listed, list) else 0} models are listed"

    builder = ModelBuilder(build, {input_.__name__: input_ for input_ in (ImageInput, SpeechInput, VideoInput)})
    return Provider(
        name,
        tuple(
            builder.model_of(entry) if entry.file else build(entry) for entry in _entries(settings, builder, file)
        ),
        title="OpenAI" if name == "openai" else name,
        paid=paid,
        configured=settings.api_key is not None or not paid,
        needs=("api_key",) if name == "openai" else (),
        probe=probe,
        builder=builder,
    )


def _entries(settings: ProviderSettings, builder: ModelBuilder, file: Path | None) -> Sequence[ModelEntry]:
    """Those of the file, and the models of the operator, who may also say what one of the file does."""
    entries = {entry.id: entry for entry in builder.entries_of(file)} if file else {}
    for name, what in settings.models.items():
        entries[name] = replace(entries.get(name) or ModelEntry(name), does=what)
    return tuple(entries.values())


def _account(settings: ProviderSettings, base_url: str, refusals: Refusals) -> Account:
    version = settings.options.get("api_version")
    return Account(
        settings.http,
        base_url.rstrip("/"),
        _headers(settings, azure=settings.options.get("azure") is True),
        refusals.explain,
        {"api-version": str(version)} if version else {},
        EARLY,
        api_paths=_api_paths(base_url),
        allowed_hosts=settings.allowed_hosts,
        traced=settings.options.get("traced") is True,
    )


def _api_paths(base_url: str) -> tuple[str, ...] | None:
    """The paths of the API: all below the base URL; where that has no path, those that the protocol names."""
    return None if urlsplit(base_url).path.strip("/") else _NAMES


def _headers(settings: ProviderSettings, *, azure: bool) -> dict[str, str]:
    if not settings.api_key:
        return {}
    return {"api-key": settings.api_key} if azure else {"Authorization": f"Bearer {settings.api_key}"}


def _words(settings: ProviderSettings) -> StatusWords:
    """The words of the servers, and those that the operator has added."""
    done, failed, running = (str(settings.options.get(f"{what}_words") or "") for what in _ENDS)
    return WORDS.with_more(done=done, failed=failed, running=running)


def _model(settings: ProviderSettings, account: Account, refusals: Refusals, model: str, what: str) -> AnyModel:
    secret = str(settings.options.get("webhook_secret") or "") or None
    match what:
        case "image":
            kinds: tuple[str, ...] = ("text-to-image", "image-to-image")
            engine: Engine[ImageInput] = Images(account, refusals, model)
            return Model(
                model,
                kinds,
                ImageInput,
                engine,
                model,
                "Pictures, from words or pictures.",
                decide_kind=lambda input_: by_source(kinds, from_media=bool(input_.images)),
                billed=billed,
            )
        case "background":
            engine = BackgroundImages(account, refusals, model, secret, _words(settings))
            words = "Pictures, made in the background."
            return Model(model, ("text-to-image",), ImageInput, engine, model, words, billed=billed)
        case "speech":
            speech = Speech(account, refusals, model)
            return Model(model, ("text-to-speech",), SpeechInput, speech, model, "Spoken words.", billed=billed)
        case "video":
            kinds = ("text-to-video", "image-to-video")
            videos = Videos(account, refusals, model, _words(settings))
            return Model(
                model,
                kinds,
                VideoInput,
                videos,
                model,
                "Video, from words or a picture.",
                decide_kind=lambda input_: by_source(kinds, from_media=bool(input_.image)),
                billed=billed,
            )
        case _:
            raise ValueError(
                f"the model {model!r} is to do {what!r}; it can do image, background, speech or video"
            )
