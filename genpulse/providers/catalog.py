"""Finds the installed providers and holds their models."""

import difflib
import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from importlib.metadata import EntryPoint, entry_points

from genpulse.background.contained_tasks import as_exception
from genpulse.domain.catalogue.lifetime import FOR_EVER, Lifetime
from genpulse.domain.errors import GenPulseError, UnknownModel
from genpulse.provider import AnyModel, Provider, ProviderSettings
from genpulse.provider.catalogue import ModelFile
from genpulse.provider.plug_in import ADAPTERS, GROUP
from genpulse.providers.team_models import with_team_models

_NEAR = 3
_ALIKE = 0.6

_log = logging.getLogger(__name__)


class ProviderNameTaken(GenPulseError):
    """Two installed plug-ins want the same name, so that nobody could say which of them a task means."""


class LoadedCatalogue:
    """The models of the given providers. `broken` says by name why a plug-in was left out.

    Raises `ProviderNameTaken` when two of the providers have the same name.
    """

    def __init__(self, providers: Sequence[Provider], broken: Mapping[str, str] | None = None) -> None:
        names = [provider.name for provider in providers]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ProviderNameTaken(f"two providers are named {', '.join(twice)}; give each a name of its own.")
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
        """A provider's title; its name where it has none. Raises `KeyError` for an unknown one."""
        return self._providers[provider].title or provider

    def is_paid(self, provider: str) -> bool:
        """Whether asking it may cost money."""
        return provider in self._providers and self._providers[provider].paid

    def is_configured(self, provider: str) -> bool:
        """Whether it has what it needs, such as a key."""
        return provider in self._providers and self._providers[provider].configured

    def lacks(self, provider: str) -> tuple[str, ...]:
        """Settings that have to be set before it can do anything."""
        plug_in = self._providers.get(provider)
        if plug_in is None or plug_in.configured:
            return ()
        return tuple(f"providers.{provider}.{setting}" for setting in plug_in.needs)

    def left_out(self, provider: str) -> tuple[str, ...]:
        """A sentence for each thing of the operator's that the provider could not use."""
        plug_in = self._providers.get(provider)
        return tuple(f"{what}: {why}" for what, why in plug_in.left_out.items()) if plug_in else ()

    def provider(self, name: str) -> Provider | None:
        """The whole plug-in."""
        return self._providers.get(name)

    def models(self) -> tuple[tuple[str, AnyModel], ...]:
        """Public id and model, sorted by id."""
        return tuple(sorted(self._models.items(), key=lambda item: item[0]))

    def model(self, model_id: str) -> AnyModel:
        """The model of this id. Raises `UnknownModel`, with the nearest names."""
        model = self._models.get(model_id) or self._unlisted(model_id)
        if model is None:
            raise UnknownModel(model_id, self._near(model_id))
        return model

    def lifetime(self, model_id: str) -> Lifetime:
        """How long there will be a model of this id; nothing is known of an unlisted one."""
        model = self._models.get(model_id)
        return model.facts.lifetime if model else FOR_EVER

    def _unlisted(self, model_id: str) -> AnyModel | None:
        """A model of a vendor that has more of them than it lists."""
        name, _, rest = model_id.partition("/")
        provider = self._providers.get(name)
        if provider is None or provider.find_model is None or not rest:
            return None
        try:
            return provider.find_model(rest)
        except ValueError:
            return None
        except Exception:  # noqa: BLE001 - a plug-in that fails to look for a name has no model of it
            _log.exception("the provider %s cannot look for the model %r", name, rest)
            return None

    def _near(self, model_id: str) -> list[str]:
        """Ids that look alike, then those whose part behind the first slash does."""
        lowered = model_id.lower()
        by_name: defaultdict[str, list[str]] = defaultdict(list)
        for id_ in sorted(self._models):
            by_name[id_.partition("/")[2]].append(id_)
        alike = difflib.get_close_matches(lowered, self._models, _NEAR, _ALIKE)
        names = difflib.get_close_matches(lowered.rpartition("/")[2], by_name, _NEAR, _ALIKE)
        return list(dict.fromkeys([*alike, *(id_ for name in names for id_ in by_name[name])]))[:_NEAR]

    async def close(self) -> None:
        """Close every provider, even when one of them fails to; the last failure is raised."""
        async with AsyncExitStack() as stack:
            for provider in self._providers.values():
                stack.push_async_callback(provider.close)


def load(
    settings: Mapping[str, ProviderSettings],
    disabled: Collection[str] = (),
    plain: ProviderSettings | None = None,
    adapters: Mapping[str, str] | None = None,
    *,
    entries: Iterable[EntryPoint] | None = None,
    added: Sequence[ModelFile] = (),
) -> LoadedCatalogue:
    """Build every installed provider that is not disabled, each with its settings; `plain` are those of others.

    `adapters` says by name which adapter serves it. `added` are files of models of the team's own.

    A plug-in that cannot be built is left out, so that it does not take the others down with it. `entries` are
    the plug-ins to build in place of the installed ones. Raises `ProviderNameTaken`, and `ModelFilesInvalid` for
    `added`.
    """
    installed = entry_points(group=GROUP) if entries is None else entries
    adapters = adapters or {}
    own = _one_each([entry for entry in installed if entry.name not in {*disabled, *adapters}])
    builds: list[tuple[str, EntryPoint | None]] = [(entry.name, entry) for entry in own]
    builds += [(name, _adapter(adapter)) for name, adapter in adapters.items()]
    providers: list[Provider] = []
    broken: dict[str, str] = {}
    for name, entry in builds:
        try:
            own_settings = replace(settings.get(name, plain or ProviderSettings()), name=name)
            providers.append(provider := _build(name, entry, own_settings))
            for what, why in provider.left_out.items():
                _log.warning("the provider %s leaves %s out: %s", name, what, why)
        except BaseException as error:  # noqa: BLE001 - a plug-in may raise anything; the others must still work
            known = as_exception(error)
            broken[name] = f"{type(known).__name__}: {known}"
            _log.warning("the provider %s is left out: %s", name, broken[name])
    names = {name for name, _ in builds}
    for name in sorted(settings.keys() - names - set(disabled)):
        broken[name] = _unknown(name, names)
        _log.warning("the settings of providers.%s are not used: %s", name, broken[name])
    return LoadedCatalogue(
        with_team_models(providers, added, {*broken, *disabled}) if added else providers, broken
    )


def _unknown(name: str, names: Collection[str]) -> str:
    near = difflib.get_close_matches(name, names, n=1, cutoff=_ALIKE)
    hint = f" Did you mean providers.{near[0]}?" if near else ""
    return f"no plug-in is called so, and providers.{name}.adapter names none.{hint}"


def _adapter(name: str) -> EntryPoint | None:
    return next(iter(entry_points(group=ADAPTERS, name=name)), None)


def _build(name: str, entry: EntryPoint | None, settings: ProviderSettings) -> Provider:
    if entry is None:
        installed = ", ".join(sorted(entry_points(group=ADAPTERS).names))
        raise ValueError(f"providers.{name}.adapter names none that is installed; there is {installed}")
    build: Callable[[ProviderSettings], object] = entry.load()
    if not callable(build):
        raise TypeError(f"{entry.value} must be a function of the provider's settings, not {build!r:.80}")
    provider = build(settings)
    if not isinstance(provider, Provider):
        raise TypeError(f"{entry.value} must return a genpulse.provider.Provider, not {provider!r}")
    if provider.name != name:
        raise ValueError(f"the entry point is named {name!r} and builds a provider named {provider.name!r}")
    return provider


def _one_each(entries: Iterable[EntryPoint]) -> list[EntryPoint]:
    """Sorted by name. The same function found twice (a package that is on the path twice) counts once."""
    by_name: dict[str, EntryPoint] = {}
    for entry in entries:
        other = by_name.setdefault(entry.name, entry)
        if other.value != entry.value:
            places = " and ".join(sorted(f"{one.value} ({_package(one)})" for one in (other, entry)))
            raise ProviderNameTaken(
                f"two plug-ins are named {entry.name!r}: {places}. Uninstall one of them, or leave the name out"
                f" with providers.{entry.name}.enabled: false."
            )
    return [by_name[name] for name in sorted(by_name)]


def _package(entry: EntryPoint) -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else "an unknown package"
