"""The addresses that documents of this door carry."""

from dataclasses import dataclass
from urllib.parse import quote
from uuid import UUID

from genpulse.api.schemas.links import Links

PREFIX = "/replicate"
API = f"{PREFIX}/v1"


@dataclass(frozen=True, slots=True)
class ReplicateLinks:
    """Addresses at this door, and those of `ours`, under which the bytes of assets are."""

    ours: Links

    @property
    def api(self) -> str:
        """Of the door itself, with its version and without a slash at its end."""
        return f"{self.ours.base}{API}"

    def prediction(self, task_id: UUID) -> str:
        """Of a prediction."""
        return f"{self.api}/predictions/{task_id}"

    def stream(self, task_id: UUID) -> str:
        """Of a prediction's events. It is signed, since the JavaScript client sends no key there."""
        query = f"?{self.ours.signed_events(task_id)}" if self.ours.signed_events else ""
        return f"{self.prediction(task_id)}/stream{query}"

    def file(self, asset_id: UUID) -> str:
        """Of an uploaded file, as an input names it."""
        return f"{self.api}/files/{asset_id}"

    def model(self, name: str) -> str:
        """Of a model."""
        return f"{self.api}/models/{quote(name)}"
