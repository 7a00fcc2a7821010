"""What options of `genpulse keys` take: times, rates, amounts, and none of them."""

import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from enum import Enum, auto
from typing import Generic, TypeVar

import click

from genpulse.domain.provider_account.rate import Rate

T = TypeVar("T")
U = TypeVar("U")
_METADATA = "metadata."
_LONGEST_NAME = 64
_AMOUNT = re.compile(r"[0-9]{1,9}(\.[0-9]{1,6})?", re.ASCII)
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


class Lifted(Enum):
    """No limit, where one may be."""

    LIFTED = auto()


class OrNone(click.ParamType["T | Lifted"], Generic[T]):
    """A value of another type, or the word `none`."""

    def __init__(self, inner: click.ParamType[T]) -> None:
        self._inner = inner
        self.name = f"{inner.name}|none"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> T | Lifted:
        """Parse as the other type does."""
        if isinstance(value, Lifted) or value == "none":
            return Lifted.LIFTED
        return self._inner.convert(value, param, ctx)

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """As the help shows it."""
        inner = self._inner.get_metavar(param, ctx) or self._inner.name.upper()
        return f"{inner}|none"


class Span(click.ParamType[timedelta]):
    """A time such as 90d, at most `longest`; 0 is one where it `allows_none`."""

    name = "span"

    def __init__(self, *, allows_none: bool = False, longest: timedelta | None = None) -> None:
        self._allows_none = allows_none
        self._longest = longest

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Parse a number of hours, days or weeks."""
        if isinstance(value, timedelta):
            return value
        if self._allows_none and value == "0":
            return timedelta(0)
        match = re.fullmatch(r"([1-9]\d{0,4})([hdw])", str(value))
        if match is None:
            self.fail(f"{value!r} is not a time such as 12h, 90d or 52w", param, ctx)
        span = int(match.group(1)) * _UNITS[match.group(2)]
        if self._longest is not None and span > self._longest:
            self.fail(f"{value!r} is more than {self._longest.days}d", param, ctx)
        return span


class RateType(click.ParamType[Rate]):
    """A rate such as 10/s."""

    name = "rate"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Rate:
        """Parse a rate as the configuration writes it."""
        try:
            return Rate.parse(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Dollars(click.ParamType[Decimal]):
    """An amount of US dollars."""

    name = "usd"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        """Parse a decimal number, as the HTTP API takes it."""
        if not _AMOUNT.fullmatch(str(value)):
            bounds = "less than a billion, with 6 decimal places at most"
            self.fail(f"{value!r} is not an amount such as 25 or 0.50, {bounds}", param, ctx)
        return Decimal(str(value))


class MetadataField(click.ParamType[str]):
    """A field of the metadata, such as metadata.customer; the name alone is returned."""

    name = "metadata.name"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Take the prefix off."""
        name = str(value).removeprefix(_METADATA)
        if not str(value).startswith(_METADATA) or not 1 <= len(name) <= _LONGEST_NAME or not name.isprintable():
            self.fail(f"{value!r} is not a field such as metadata.customer", param, ctx)
        return name


def after(option: T | Lifted | None, current: T | None) -> T | None:
    """What holds after a change."""
    if isinstance(option, Lifted):
        return None
    return current if option is None else option


def converted(option: T | Lifted | None, convert: Callable[[T], U]) -> U | Lifted | None:
    """A value that is asked for, as something else."""
    return option if option is None or isinstance(option, Lifted) else convert(option)
