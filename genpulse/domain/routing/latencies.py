"""How long models took lately, for routes that try the fastest one first."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class Latencies:
    """Seconds that attempts at each model took lately, as far as they are known in this process."""

    seconds: Mapping[str, float] = field(default_factory=dict)

    def of(self, model: str) -> float:
        """Those of one model; 0 where nothing is known, so that it is tried and becomes known."""
        return self.seconds.get(model, 0.0)
