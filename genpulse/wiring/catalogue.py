"""Providers and their models, with the settings of each."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

from genpulse.adapters.http.on_demand import HttpOnDemand
from genpulse.configuration.errors import ConfigurationError, Fault
from genpulse.configuration.rules.provider_options import typed
from genpulse.configuration.settings import ProviderSection, Settings
from genpulse.domain.errors import (
    ProviderUnavailable,
    UnknownProvider,
)
from genpulse.provider import AnyModel, Provider, ProviderSettings
from genpulse.provider.catalogue import ModelFile, ModelFilesInvalid, files_in
from genpulse.provider.http import AnswerLost, Http
from genpulse.providers.catalog import LoadedCatalogue, load
from genpulse.wiring.connections import closed_by


def open_catalogue(settings: Settings, http: Http | None = None) -> LoadedCatalogue:
    """The models of all enabled providers; needs no server. Without a client they can only be looked at.

    Raises `ConfigurationError` where the team's own files of models do not hold.
    """
    try:
        return _loaded(settings, http, _team_files(settings))
    except ModelFilesInvalid as error:
        raise _refusal(settings, error) from error


def _loaded(settings: Settings, http: Http | None, added: tuple[ModelFile, ...]) -> LoadedCatalogue:
    """Raises `ModelFilesInvalid`."""
    sections_by_name = settings.providers.named
    disabled = [name for name, section in sections_by_name.items() if not section.enabled]
    plain = ProviderSettings(http=http) if http else ProviderSettings()
    sections = {name: provider_settings(name, section, plain) for name, section in sections_by_name.items()}
    adapters = {
        name: section.adapter for name, section in sections_by_name.items() if section.adapter and section.enabled
    }
    return load(sections, disabled, plain, adapters, added=added)


def _team_files(settings: Settings) -> tuple[ModelFile, ...]:
    folder = settings.catalogue.folder
    return files_in(settings.root / folder) if folder else ()


def _refusal(settings: Settings, error: ModelFilesInvalid) -> ConfigurationError:
    faults = [
        Fault("catalogue.folder", fault.place, f"{fault.key}: {fault.detail}" if fault.key else fault.detail)
        for fault in error.faults
    ]
    return ConfigurationError(settings.environment.dynaconf, faults)


@dataclass(frozen=True, slots=True)
class ModelFilesCheck:
    """What is wrong with files of models, a line each, and all models by id where nothing is."""

    faults: tuple[str, ...]
    models: tuple[tuple[str, AnyModel], ...] = ()


def check_model_files(settings: Settings | None = None, folder: Path | None = None) -> ModelFilesCheck:
    """Read the files of models of all installed providers, and those in the folder.

    `settings` say which providers there are, and how they are set up; without them each is as it was installed.
    """
    try:
        files = files_in(folder) if folder else ()
        catalogue = _loaded(settings, None, files) if settings else load({}, added=files)
    except ModelFilesInvalid as error:
        return ModelFilesCheck(tuple(map(str, error.faults)))
    if catalogue.broken:
        return ModelFilesCheck(tuple(f"{name}: {why}" for name, why in catalogue.broken.items()))
    return ModelFilesCheck((), catalogue.models())


async def probe_provider(settings: Settings, name: str) -> str:
    """Make the provider's cheapest real call, and say what it found. Raises `UnknownProvider`, `ProviderError`."""
    async with _open_provider(settings, name) as provider:
        if provider.probe is None:
            return "it works here and needs no account" if not provider.paid else "it has no call to try"
        return await provider.probe()


async def learn_provider(settings: Settings, name: str) -> str:
    """Let the provider store the input schemas of its models. Raises `UnknownProvider`, `ProviderError`."""
    async with _open_provider(settings, name) as provider:
        if provider.learn is None:
            return "it knows its models already"
        return await provider.learn()


@asynccontextmanager
async def _open_provider(settings: Settings, name: str) -> AsyncIterator[Provider]:
    """A provider with a client of its own, for one question."""
    async with AsyncExitStack() as stack:
        http = closed_by(stack, HttpOnDemand(version("genpulse"), proxies=settings.proxies))
        catalogue = closed_by(stack, open_catalogue(settings, http))
        provider = catalogue.provider(name)
        if provider is None:
            raise UnknownProvider(name, catalogue.providers())
        try:
            yield provider
        except AnswerLost as error:
            raise ProviderUnavailable(str(error)) from error


def provider_settings(name: str, section: ProviderSection, plain: ProviderSettings) -> ProviderSettings:
    key = section.api_key.get_secret_value() if section.api_key else None
    models = {
        model.strip(): what
        for what, listed in section.models.items()
        for model in listed.split(",")
        if model.strip()
    }
    options = typed(section.adapter or name, section.options)
    return replace(plain, api_key=key, base_url=section.base_url, models=models, options=options)
