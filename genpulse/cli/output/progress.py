"""Progress of tasks on the terminal: bars on a terminal, plain lines elsewhere. Always on standard error."""

from datetime import UTC, datetime
from types import TracebackType

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from genpulse.cli.output.console import Clean
from genpulse.cli.output.console import console as new_console
from genpulse.cli.tasks.text import standing_of
from genpulse.domain.text.storable import showable_line
from genpulse_client import Event, Task

_PLAIN_EVERY = 0.25
_WAITING = "waiting"


class _CleanProgress(Progress):
    """Vendors say what they do in words of their own."""

    def get_renderable(self) -> RenderableType:
        """The bars, of which no word moves the terminal."""
        return Clean(super().get_renderable())


class Bars:
    """Progress bars, one for each task, by its label."""

    def __init__(self, console: Console | None = None, *, quiet: bool = False) -> None:
        self._console = console or new_console(err=True)
        self._quiet = quiet
        self._progress = _CleanProgress(
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
        label = showable_line(label)
        return Bar(self, label, self.begin(label))

    def begin(self, label: str) -> object:
        """The number of a new bar."""
        return self._progress.add_task(_WAITING, label=label, total=1.0)

    def say(self, number: object, label: str, fraction: float, what: str) -> None:
        """Tell what a thing waits for, beside its bar or in a line of its own."""
        what = showable_line(what)
        if not self._progress.disable:
            self._progress.update(number, completed=fraction, description=what)  # type: ignore[arg-type]
        elif not self._quiet:
            self._console.print(f"{label}: {what}", style=None, markup=False)

    def show(self, number: object, label: str, fraction: float, what: str) -> None:
        """Move a bar."""
        what = showable_line(what)
        if not self._progress.disable:
            self._progress.update(number, completed=fraction, description=what)  # type: ignore[arg-type]
        elif not self._quiet and fraction - self._told.get(label, -1.0) >= _PLAIN_EVERY:
            self._told[label] = fraction
            self._console.print(f"{label}: {fraction:.0%} {what}".rstrip(), style=None, markup=False)


class CountBar:
    """Moves with how many of many things are done."""

    def __init__(self, bars: Bars, label: str) -> None:
        self._bars = bars
        self._label = showable_line(label)
        self._number = bars.begin(self._label)

    def __call__(self, done: int, total: int, what: str) -> None:
        """Show how many are done, and what there is to say of them."""
        self._bars.show(self._number, self._label, done / total, what)


class Bar:
    """Moves with the events of one task."""

    def __init__(self, bars: Bars, label: str, number: object) -> None:
        self._bars = bars
        self._label = label
        self._number = number
        self._waited_for: tuple[object, ...] = ()

    def __call__(self, event: Event) -> None:
        """Show what the event says."""
        if event.task is None:
            self._bars.show(self._number, self._label, event.progress or 0.0, event.message or "")
        elif event.task.ended:
            done = 1.0 if event.task.status == "succeeded" else 0.0
            self._bars.show(self._number, self._label, done, event.task.status)
        elif standing := self._standing(event.task):
            self._bars.say(self._number, self._label, event.task.progress or 0.0, standing)
        elif event.task.status == "running" and not event.task.waiting_for:
            self._bars.show(self._number, self._label, event.task.progress or 0.0, "")

    def _standing(self, task: Task) -> str:
        """What is new about what keeps it from going on; nothing for one that has not begun."""
        has_begun = task.document.get("attempt", 0) > 0
        facts = (task.waiting_for, task.cancel_requested_at, task.last_error)
        if facts == self._waited_for or not (has_begun or task.cancel_requested_at):
            return ""
        self._waited_for = facts
        return standing_of(task, datetime.now(UTC))
