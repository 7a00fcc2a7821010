"""Options of the console."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from genpulse.console.views.doctor_report import DoctorFinding, examine


@dataclass(frozen=True, slots=True)
class ShownSetting:
    """A setting that something sets: its value with secrets masked, and the `layer` and `place` of that."""

    key: str
    value: str
    layer: str
    place: str


def _none() -> Sequence[ShownSetting]:
    return ()


@dataclass(frozen=True, slots=True)
class ConsoleOptions:
    """`urls` are the consoles of the environments by their names, as far as they are configured.

    `hides_content`: inputs and outputs are shown to those alone whose tasks they are, and to the scope admin.
    `asks_for_name`: what costs money or cannot be undone is done only when the environment's name is typed.
    `decided_by` named the environment, and `settings` reads where each setting comes from. A page that is open is
    asked every `look_again_s` seconds whether its viewer may still be there. `probe` makes the cheapest real call
    of a provider and says what it found; it raises `ProviderError`. `examine` asks `genpulse doctor`.
    """

    urls: Mapping[str, str] = field(default_factory=dict)
    hides_content: bool = False
    asks_for_name: bool = False
    look_again_s: float = 10.0
    decided_by: str = ""
    settings: Callable[[], Sequence[ShownSetting]] = _none
    probe: Callable[[str], Awaitable[str]] | None = None
    examine: Callable[[], Awaitable[Sequence[DoctorFinding]]] = examine
