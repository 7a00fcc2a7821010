"""Options that say which tasks are meant."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, TypeVar, cast

import click

from genpulse_client import Status, TaskFilter

STATES = ("queued", "running", "succeeded", "failed", "canceled")
_SPAN = re.compile(r"(\d{1,6})\s*([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
F = TypeVar("F", bound=Callable[..., Any])


class Words(click.ParamType[str]):
    """A text. A terminal may hand over bytes that are none."""

    name = "text"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Raises `BadParameter`."""
        try:
            value.encode()
        except UnicodeEncodeError:
            self.fail(
                f"{value!r} holds bytes that are no text. Write it in this terminal's own encoding.", param, ctx
            )
        return value


class Moment(click.ParamType[datetime]):
    """A time: so long ago, a date, or a time with its offset or by this machine's clock."""

    name = "time"
    examples = "7d, 12h, 2030-01-31, or 2030-01-31T12:00:00+02:00"
    sign = -1
    """What a span means: 7d is seven days ago."""

    def convert(self, value: str | datetime, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """With its time zone. Raises `BadParameter`."""
        if isinstance(value, datetime):
            return value
        now = datetime.now().astimezone()
        try:
            return moment_of(value.strip(), now, self.sign)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is no time. Give one such as {self.examples}.", param, ctx)


def moment_of(text: str, now: datetime, sign: int = -1) -> datetime:
    """What a person means by it; a span lies before now, with 1 after it. Raises `ValueError`, `OverflowError`."""
    if span := _SPAN.fullmatch(text):
        return now + sign * timedelta(**{_UNITS[span[2]]: int(span[1])})
    if len(text) <= len("2030-01-31"):
        return datetime.combine(date.fromisoformat(text), time()).astimezone(now.tzinfo)
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.astimezone(now.tzinfo)


class Later(Moment):
    """A time to come: in so long, a date, or a time with its offset or by this machine's clock."""

    examples = "30m, 12h, 2030-01-31, or 2030-01-31T22:00:00+02:00"
    sign = 1


class Pair(click.ParamType[tuple[str, str]]):
    """A name and a value of metadata."""

    name = "name=value"

    def convert(
        self, value: str | tuple[str, str], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        """Raises `BadParameter`."""
        if isinstance(value, tuple):
            return value
        name, sign, content = WORDS.convert(value, param, ctx).partition("=")
        if not name or not sign:
            self.fail(f"{value!r} is no metadata. Give a name and a value, such as customer=acme.", param, ctx)
        return name, content


WORDS = Words()


@dataclass(frozen=True, slots=True)
class TaskChoice:
    """The tasks that the options mean."""

    status: Sequence[str] = ()
    code: Sequence[str] = ()
    kind: Sequence[str] = ()
    provider: Sequence[str] = ()
    model: Sequence[str] = ()
    key: Sequence[str] = ()
    batch: str | None = None
    text: str | None = None
    meta: Sequence[tuple[str, str]] = ()
    since: datetime | None = None
    until: datetime | None = None

    @property
    def filter(self) -> TaskFilter:
        """As the client takes it."""
        metadata: dict[str, list[str]] = {}
        for name, value in self.meta:
            metadata.setdefault(name, []).append(value)
        return TaskFilter(
            status=cast("Sequence[Status]", self.status) or None,
            code=self.code or None,
            kind=self.kind or None,
            provider=self.provider or None,
            model=self.model or None,
            key=self.key or None,
            batch=self.batch,
            text=self.text,
            metadata=metadata,
            created_after=self.since,
            created_before=self.until,
        )

    @property
    def is_everything(self) -> bool:
        """Whether nothing was said."""
        return self == TaskChoice()


_OPTIONS = (
    click.option("--status", type=click.Choice(STATES), multiple=True, help="Only those in this state."),
    click.option(
        "--code", metavar="CODE", type=WORDS, multiple=True, help="Only those that failed with this error code."
    ),
    click.option("--kind", type=WORDS, multiple=True, help="Only those of this kind."),
    click.option("--provider", type=WORDS, multiple=True, help="Only those of this provider."),
    click.option("--model", type=WORDS, multiple=True, help="Only those of this model."),
    click.option("--key", type=WORDS, multiple=True, help="Only those of the API key with this name or id."),
    click.option("--batch", metavar="ID", type=WORDS, help="Only those of this batch."),
    click.option("--text", metavar="WORDS", type=WORDS, help="Only those with all these words in their input."),
    click.option("--meta", type=Pair(), multiple=True, help="Only those with this metadata."),
    click.option("--since", type=Moment(), help="Only those that came then or later: 7d, 2030-01-31, …"),
    click.option("--until", type=Moment(), help="Only those that came before that."),
)


def filter_options(function: F) -> F:
    """All of them. An option that is repeated means any of its values."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function
