"""Versions: each model of ours has one, whose id says which model it is."""

from collections.abc import Mapping
from dataclasses import dataclass

from genpulse.dialects.model_names import ModelNames
from genpulse.domain.errors import BadInput, Problem, UnknownModel
from genpulse.ports import Services

_VENDOR = "replicate/"


class UnknownVersion(BadInput):
    """No model here has this version."""

    code = "unknown_version"

    def __init__(self, version: str) -> None:
        excerpt = version[:100]
        super().__init__(
            "The specified version does not exist (or perhaps you don't have permission to use it?):"
            f" {excerpt!r}. GET /v1/models lists the versions of this installation; a version of Replicate's own"
            " is found where doors.aliases names it as owner/name:version.",
            [Problem("/version", "it is not known here")],
        )


@dataclass(frozen=True, slots=True)
class NamedModel:
    """A model as this door shows it: `name` is `owner/name`."""

    name: str
    version: str


def version_of(model_id: str) -> str:
    """The version of a model of ours, or of a route: the same in every process, at any time."""
    return model_id.encode().hex()


def shown(names: ModelNames, model_id: str) -> NamedModel:
    """How a model, or a route, is shown. One of Replicate's own keeps the version that its id has."""
    name = names.shown_as(model_id)
    if model_id.startswith(_VENDOR) and ":" in model_id:
        name, _, version = name.partition(":")
        return NamedModel(name, version or model_id.rpartition(":")[2])
    return NamedModel(name, version_of(model_id))


class Versions:
    """Finds the model that a version is of. `aliases` may name one of Replicate's as `owner/name:version`."""

    def __init__(self, names: ModelNames, aliases: Mapping[str, str]) -> None:
        self._names = names
        self._pinned = {alias.lower().rpartition(":")[2]: alias for alias in aliases if ":" in alias}

    def model_of(self, services: Services, word: str) -> str:
        """The id of the model, or the name of a route: of a version, `owner/name`, or both with a colon.

        Raises `UnknownVersion`, and `UnknownModel` for a name alone.
        """
        name, _, version = word.partition(":")
        if "/" in name:
            return self.of_model(services, name, version) if version else self._names.id_of(services, name)
        if (alias := self._pinned.get(word.lower())) is not None:
            return self._names.id_of(services, alias)
        return self._encoded(services, word)

    def of_model(self, services: Services, name: str, version: str) -> str:
        """The same for a version of this model. Raises `UnknownVersion`."""
        try:
            own = self._names.id_of(services, name)
            if version == version_of(own):
                return own
        except UnknownModel:
            pass  # a model that has nothing but versions may be known by one of them
        try:
            return self._names.id_of(services, f"{name}:{version}")
        except UnknownModel:
            raise UnknownVersion(version) from None

    def _encoded(self, services: Services, word: str) -> str:
        try:
            model_id = bytes.fromhex(word).decode()
        except ValueError:
            raise UnknownVersion(word) from None
        if services.routes.get(model_id) is not None:
            return model_id
        try:
            services.catalogue.model(model_id)
        except UnknownModel:
            raise UnknownVersion(word) from None
        return model_id
