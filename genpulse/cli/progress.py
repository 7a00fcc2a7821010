"""Progress of tasks on the terminal: bars on a terminal, plain lines elsewhere. Always on standard error."""

from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from genpulse.client import Event

_PLAIN_EVERY = 0.25
_WAITING = "waiting"


class Bars:
    """One bar for each thing that is under way, by its label."""

    def __init__(self, console: Console | None = None, *, quiet: bool = False) -> None:
        self._console = console or Console(stderr=True, highlight=False)
        self._quiet = quiet
        self._progress = Progress(
            TextColumn("{task.fields[label]}", style="bold"),
            BarColumn(bar_width=32),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.description}", style="dim"),
            console=self._console,
            disable=quiet or not self._console.is_terminal,
        )
        self._told: dict[str, float] = {}
        self._width = 0

    def __enter__(self) -> "Bars":
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def follow(self, label: str) -> "Bar":
        """A new bar."""
        return Bar(self, label, self._progress.add_task(_WAITING, label=label, total=1.0))

    def show(self, number: object, label: str, fraction: float, what: str) -> None:
        """Move a bar."""
        if not self._progress.disable:
            self._progress.update(number, completed=fraction, description=what)  # type: ignore[arg-type]
        elif not self._quiet and fraction - self._told.get(label, -1.0) >= _PLAIN_EVERY:
            self._told[label] = fraction
            self._console.print(f"{label}: {fraction:.0%} {what}".rstrip(), style=None)


class Bar:
    """Moves with the events of one task."""

    def __init__(self, bars: Bars, label: str, number: object) -> None:
        self._bars = bars
        self._label = label
        self._number = number

    def __call__(self, event: Event) -> None:
        """Show what the event says."""
        if event.task is None:
            self._bars.show(self._number, self._label, event.progress or 0.0, event.message or "")
        elif event.task.ended:
            done = 1.0 if event.task.status == "succeeded" else 0.0
            self._bars.show(self._number, self._label, done, event.task.status)
        elif event.task.status == "running":
            self._bars.show(self._number, self._label, event.task.progress or 0.0, "")
