"""Rich's console, by which commands draw: it cleans whatever is drawn on it."""

from collections.abc import Iterator
from typing import IO

from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderableType, RenderHook
from rich.segment import Segment

from genpulse.domain.text.storable import showable


def console(*, err: bool = False, file: IO[str] | None = None, width: int | None = None) -> Console:
    """A new one, on standard output, or on standard error with `err`."""
    new = Console(stderr=err, file=file, width=width, highlight=False)
    new.push_render_hook(_Cleaning())
    return new


class Clean:
    """A drawing without control characters of others; the console's own codes stay."""

    def __init__(self, drawn: RenderableType) -> None:
        self._drawn = drawn

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        """Each part of it, cleaned."""
        for segment in console.render(self._drawn, options):
            yield segment if segment.control else Segment(showable(segment.text), segment.style)


class _Cleaning(RenderHook):
    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        return [Clean(each) for each in renderables]
