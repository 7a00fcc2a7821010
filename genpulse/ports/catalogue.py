"""The port of the catalogue of providers and models."""

from typing import Protocol

from genpulse.domain.catalogue.lifetime import Lifetime
from genpulse.provider import AnyModel


class Catalogue(Protocol):
    """The models of all enabled providers."""

    def providers(self) -> tuple[str, ...]:
        """Their names, sorted."""

    def title(self, provider: str) -> str:
        """What a provider calls itself; its name where it says nothing."""

    def is_paid(self, provider: str) -> bool:
        """Whether asking it may cost money; an unknown one does not."""

    def is_configured(self, provider: str) -> bool:
        """Whether it has what it needs, such as a key; an unknown one has not."""

    def lacks(self, provider: str) -> tuple[str, ...]:
        """Settings that have to be set before it can do anything, such as `providers.fal.api_key`."""

    def left_out(self, provider: str) -> tuple[str, ...]:
        """A sentence for each thing of the operator's that it could not use, such as a file."""

    def models(self) -> tuple[tuple[str, AnyModel], ...]:
        """Public id (`provider/name`) and model, sorted by id."""

    def model(self, model_id: str) -> AnyModel:
        """Raises `UnknownModel`, with the nearest names."""

    def lifetime(self, model_id: str) -> Lifetime:
        """How long there will be a model of this id; nothing is known of an unlisted or unknown one."""
