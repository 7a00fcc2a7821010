"""Finds the installed providers and holds their models."""

import difflib
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points

from genpulse.domain.errors import UnknownModel
from genpulse.provider import AnyModel, Provider, ProviderSettings

GROUP = "genpulse.providers"
_NEAR = 3

_log = logging.getLogger(__name__)


class LoadedCatalogue:
    """The models of the given providers. `broken` says by name why a plug-in was left out."""

    def __init__(self, providers: Sequence[Provider], broken: Mapping[str, str] | None = None) -> None:
        self._providers = {provider.name: provider for provider in sorted(providers, key=lambda one: one.name)}
        self._models = {
            f"{provider.name}/{model.name}": model
            for provider in self._providers.values()
            for model in provider.models
        }
        self.broken = dict(broken or {})

    def providers(self) -> tuple[str, ...]:
        """Their names, sorted."""
        return tuple(self._providers)

    def title(self, provider: str) -> str:
        """What a provider calls itself; its name where it says nothing."""
        return self._providers[provider].title or provider

    def models(self) -> tuple[tuple[str, AnyModel], ...]:
        """Public id and model, sorted by id."""
        return tuple(sorted(self._models.items()))

    def model(self, model_id: str) -> AnyModel:
        """Raises `UnknownModel`, with the nearest names."""
        try:
            return self._models[model_id]
        except KeyError:
            raise UnknownModel(model_id, self._near(model_id)) from None

    def _near(self, model_id: str) -> list[str]:
        """Ids that look alike, and those whose part behind the slash does."""
        wanted = model_id.lower()
        alike = difflib.get_close_matches(wanted, self._models, n=_NEAR, cutoff=0.6)
        short = {known.partition("/")[2]: known for known in self._models}
        by_name = difflib.get_close_matches(wanted.rpartition("/")[2], short, n=_NEAR, cutoff=0.6)
        return list(dict.fromkeys([*alike, *(short[name] for name in by_name)]))[:_NEAR]

    async def close(self) -> None:
        """Close every provider."""
        for provider in self._providers.values():
            await provider.close()


def load(settings: Mapping[str, ProviderSettings], disabled: Collection[str] = ()) -> LoadedCatalogue:
    """Build every installed provider that is not disabled, each with its settings.

    A plug-in that cannot be built is left out, so that it does not take the others down with it. Raises
    `ValueError` when two plug-ins have the same name.
    """
    found = entry_points(group=GROUP)
    _refuse_twins(found)
    providers: list[Provider] = []
    broken: dict[str, str] = {}
    for entry in sorted(found, key=lambda entry: entry.name):
        if entry.name in disabled:
            continue
        try:
            providers.append(_build(entry, settings.get(entry.name, ProviderSettings())))
        except Exception as error:  # noqa: BLE001 - a plug-in may raise anything; the others must still work
            broken[entry.name] = f"{type(error).__name__}: {error}"
            _log.warning("the provider %s is left out: %s", entry.name, broken[entry.name])
    return LoadedCatalogue(providers, broken)


def _build(entry: EntryPoint, settings: ProviderSettings) -> Provider:
    build: Callable[[ProviderSettings], Provider] = entry.load()
    provider = build(settings)
    if provider.name != entry.name:
        raise ValueError(f"the entry point is named {entry.name!r} and builds a provider named {provider.name!r}")
    return provider


def _refuse_twins(found: Collection[EntryPoint]) -> None:
    for entry in found:
        twins = [other for other in found if other.name == entry.name]
        if len({twin.value for twin in twins}) > 1:
            places = " and ".join(sorted(f"{twin.value} ({_package(twin)})" for twin in twins))
            raise ValueError(f"two plug-ins are named {entry.name!r}: {places}. Uninstall one of them.")


def _package(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist else "an unknown package"
