"""An entry of a file of models: what it says of one model, and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import BaseModel

from genpulse.domain.catalogue.model_facts import ChargedOn, ModelFacts
from genpulse.provider.catalogue.documents import EntryDocument
from genpulse.provider.catalogue.tariffs import tariff_of
from genpulse.provider.model import AnyModel


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """What a file says of the model `id` of its provider.

    `does` is the plug-in's own word for what it is asked for, empty where the file says nothing. `file` and `line`
    are where the entry stands.
    """

    id: str
    does: str = ""
    title: str | None = None
    description: str | None = None
    kinds: tuple[str, ...] | None = None
    input: type[BaseModel] | None = None
    file: str = ""
    line: int | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    def on(self, model: AnyModel) -> AnyModel:
        """The model with all that the entry says; what it leaves out stays. Raises `ValueError`."""
        given = {"title": self.title, "description": self.description, "kinds": self.kinds, "input": self.input}
        changed: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        if self.input is not None and not issubclass(self.input, model.input):
            raise ValueError(f"its input is {self.input.__name__}, and what it does takes {model.input.__name__}")
        if "price" in self.facts:
            changed["price"] = None
        return replace(model, facts=self._facts_on(model.facts), **changed)

    def _facts_on(self, facts: ModelFacts) -> ModelFacts:
        own_facts = self.facts
        lifetime = replace(facts.lifetime, **{name: own_facts[name] for name in _OF_LIFETIME & own_facts.keys()})
        return ModelFacts(
            tariff=own_facts.get("price", facts.tariff),
            outputs=own_facts.get("outputs", facts.outputs),
            charged_on=own_facts.get("charged_on", facts.charged_on),
            limits=own_facts.get("limits", facts.limits),
            lifetime=lifetime,
        )


_OF_LIFETIME = frozenset({"deprecated", "sunset", "successor"})


def facts_in(document: EntryDocument) -> dict[str, Any]:
    """The facts that a document says, also those that it takes away with `null`."""
    facts: dict[str, Any] = {
        "price": tariff_of(document.price) if document.price else None,
        "outputs": tuple(document.outputs or ()),
        "charged_on": ChargedOn(**document.charged_on.model_dump()) if document.charged_on else ChargedOn(),
        "limits": dict(document.limits or {}),
        "deprecated": document.deprecated,
        "sunset": document.sunset,
        "successor": document.successor,
    }
    return {name: value for name, value in facts.items() if name in document.model_fields_set}
