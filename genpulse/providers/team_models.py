"""Models that a team adds, and what it says differently of others."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from genpulse.domain.catalogue.lifetime import circle_of
from genpulse.provider import AnyModel, ModelEntry, Provider
from genpulse.provider.catalogue import InputNames, ModelFault, ModelFile, ModelFilesInvalid, applied


def with_team_models(
    providers: Sequence[Provider], files: Sequence[ModelFile], left_out: Collection[str] = ()
) -> list[Provider]:
    """The providers with what the files say. Files of providers that are `left_out` here are not looked at.

    Raises `ModelFilesInvalid` with every fault.
    """
    team = _Team({provider.name: provider for provider in providers}, left_out)
    for file in files:
        team.take(file)
    return team.providers()


class _Team:
    """What files have said by now, and what is wrong with them."""

    def __init__(self, providers: Mapping[str, Provider], left_out: Collection[str]) -> None:
        self._providers = providers
        self._left_out = left_out
        self._models = {name: {model.name: model for model in one.models} for name, one in providers.items()}
        self._entries: dict[str, ModelEntry] = {}
        self._faults: list[ModelFault] = []

    def take(self, file: ModelFile) -> None:
        """Take up the entries of a file."""
        provider = self._providers.get(file.provider)
        if provider is None:
            if file.provider not in self._left_out:
                there = ", ".join(self._providers)
                said = f"no provider is named {file.provider!r}; there is {there}"
                self._faults.append(ModelFault(file.name, said, file.line_of("provider"), "provider"))
            return
        try:
            entries = file.entries(provider.builder.names if provider.builder else InputNames())
        except ModelFilesInvalid as error:
            self._faults += error.faults
            return
        for entry in entries:
            self._add(provider, entry)

    def _add(self, provider: Provider, entry: ModelEntry) -> None:
        id_ = f"{provider.name}/{entry.id}"
        if other := self._entries.get(id_):
            said = f"{id_} is in {other.file} line {other.line} already"
            self._faults.append(ModelFault(entry.file, said, entry.line, entry.id))
            return
        self._entries[id_] = entry
        try:
            self._models[provider.name][entry.id] = _model(
                provider, entry, self._models[provider.name].get(entry.id)
            )
        except ModelFilesInvalid as error:
            self._faults += error.faults

    def providers(self) -> list[Provider]:
        """The providers with all that was taken. Raises `ModelFilesInvalid`."""
        successors = {
            f"{name}/{model.name}": model.facts.lifetime.successor
            for name, models in self._models.items()
            for model in models.values()
        }
        if circle := circle_of({id_: following for id_, following in successors.items() if following}):
            entry = next((self._entries[id_] for id_ in circle if id_ in self._entries), None)
            said = f"they succeed each other: {' → '.join(circle)}"
            place = (entry.file, entry.line) if entry else ("models.yaml", None)
            self._faults.append(ModelFault(place[0], said, place[1], "successor"))
        if self._faults:
            raise ModelFilesInvalid(self._faults)
        return [
            replace(provider, models=tuple(self._models[name].values()))
            for name, provider in self._providers.items()
        ]


def _model(provider: Provider, entry: ModelEntry, listed_model: AnyModel | None) -> AnyModel:
    """Raises `ModelFilesInvalid`."""
    if listed_model is not None and entry.does:
        raise _fault(entry, "does is for new models; this one is there already, and does what its provider says")
    if listed_model is not None:
        return applied(entry, lambda: listed_model)
    if provider.builder is None:
        there = ", ".join(model.name for model in provider.models)
        raise _fault(entry, f"{provider.name} takes no new models; it has {there}")
    return provider.builder.model_of(entry)


def _fault(entry: ModelEntry, message: str) -> ModelFilesInvalid:
    return ModelFilesInvalid([ModelFault(entry.file, message, entry.line, entry.id)])
