"""Models of entries: how a provider makes them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel

from genpulse.provider.catalogue.entry import ModelEntry
from genpulse.provider.catalogue.faults import ModelFault, ModelFilesInvalid
from genpulse.provider.catalogue.model_file import InputNames, ModelFile
from genpulse.provider.model import AnyModel


@dataclass(frozen=True, slots=True)
class ModelBuilder:
    """How a provider makes the models of its file, and those that a team adds to it.

    `build` makes the model of an entry, with its engine, and with kinds and an input for an entry that says none;
    what the entry does say is put on it afterwards. It raises `ValueError` for an entry that it can make none of.
    `inputs` are models of pydantic that a file may name. `base` is what an input is made on whose fields stand
    in the file; None where the engines take no such input.
    """

    build: Callable[[ModelEntry], AnyModel]
    inputs: Mapping[str, type[BaseModel]] = field(default_factory=dict)
    base: type[BaseModel] | None = None

    @property
    def names(self) -> InputNames:
        """What a file of its models may say of inputs."""
        return InputNames(self.inputs, self.base)

    def entries_of(self, path: Path) -> tuple[ModelEntry, ...]:
        """The entries of a provider's own file, in its order. Raises `ModelFilesInvalid`."""
        return ModelFile(path, f"{path.parent.name}/{path.name}").entries(self.names)

    def models_of(self, path: Path) -> tuple[AnyModel, ...]:
        """The models of a provider's own file, in its order. Raises `ModelFilesInvalid`."""
        faults: list[ModelFault] = []
        models: list[AnyModel] = []
        for entry in self.entries_of(path):
            try:
                models.append(self.model_of(entry))
            except ModelFilesInvalid as error:
                faults += error.faults
        if faults:
            raise ModelFilesInvalid(faults)
        return tuple(models)

    def model_of(self, entry: ModelEntry) -> AnyModel:
        """The model of one entry. Raises `ModelFilesInvalid`."""
        return applied(entry, lambda: self.build(entry))


def applied(entry: ModelEntry, model: Callable[[], AnyModel]) -> AnyModel:
    """The model with what the entry says. Raises `ModelFilesInvalid`."""
    try:
        return entry.on(model())
    except ValueError as error:
        raise ModelFilesInvalid([ModelFault(entry.file, str(error), entry.line, entry.id)]) from error
