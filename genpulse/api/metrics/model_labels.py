"""What models are called in figures."""

from collections.abc import Iterable

OTHER = "other"


class ModelLabels:
    """There may be any number of models that are not among `models`: they are counted as `PROVIDER/other`."""

    def __init__(self, models: Iterable[str] = ()) -> None:
        self._models = frozenset(models)

    def of(self, provider: str, model: str) -> str:
        """The label of a model of a provider."""
        return model if model in self._models else f"{provider}/{OTHER}"
