"""Which of our models somebody's name of a model means."""

from collections.abc import Mapping

from genpulse.domain.errors import UnknownModel
from genpulse.ports import Catalogue, Services


class ModelNames:
    """Names of models as a door's clients know them.

    A name is first an alias, then the id of one of our models (`sandbox/image`), then a model of `vendor`, whose
    API the door speaks. Aliases are found in any case, since a configuration keeps none.
    """

    def __init__(self, aliases: Mapping[str, str], vendor: str) -> None:
        self._aliases = {name.lower(): meant for name, meant in aliases.items()}
        self._vendor = vendor

    def id_of(self, services: Services, name: str) -> str:
        """The id of the model, or the name of a route. Raises `UnknownModel`, with the nearest names."""
        alias, catalogue = self._aliases.get(name.lower()), services.catalogue
        if services.routes.get(alias or name) is not None:
            return alias or name
        if alias is not None:
            catalogue.model(alias)
            return alias
        if "/" in name and _is_known(catalogue, name):
            return name
        own = f"{self._vendor}/{name}"
        if not self._passes_on(catalogue) and not _is_listed(catalogue, own):
            own = name  # nobody has it: the message is about the name as it was said
        catalogue.model(own)
        return own

    def _passes_on(self, catalogue: Catalogue) -> bool:
        """Whether the vendor may be asked for models that are not listed."""
        return self._vendor in catalogue.providers() and not catalogue.lacks(self._vendor)

    @property
    def aliases(self) -> Mapping[str, str]:
        """The model or route that each alias means."""
        return self._aliases

    def shown_as(self, model_id: str) -> str:
        """The name under which a client finds this model: an alias, or its name at the vendor, or its id."""
        for alias, meant in self._aliases.items():
            if meant == model_id:
                return alias
        return model_id.removeprefix(f"{self._vendor}/")


def _is_known(catalogue: Catalogue, model_id: str) -> bool:
    try:
        catalogue.model(model_id)
    except UnknownModel:
        return False
    return True


def _is_listed(catalogue: Catalogue, model_id: str) -> bool:
    return any(listed == model_id for listed, _ in catalogue.models())
