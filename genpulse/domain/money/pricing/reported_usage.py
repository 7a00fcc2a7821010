"""What a vendor says that an order took."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class ReportedUsage:
    """What the vendor counted; None, and no entry, for what it does not tell.

    `seconds` are those of a video or of sound, `gpu_seconds` those of its machine. `tokens` are by the kinds that
    the model's price names, such as `output`. `actual` are values that the vendor chose or changed, by the names
    of the input's fields, such as a `quality` that was left to it.
    """

    images: int | None = None
    seconds: Decimal | None = None
    characters: int | None = None
    gpu_seconds: Decimal | None = None
    tokens: Mapping[str, int] = field(default_factory=dict)
    actual: Mapping[str, str] = field(default_factory=dict)
