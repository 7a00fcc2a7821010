"""The options of `genpulse keys` that limit a key, and each end customer inside of it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar

import click

from genpulse.cli.keys.option_types import Dollars, Lifted, MetadataField, RateType, Span, after, converted
from genpulse.domain.keys.api_key import HEAVIEST, KeyLimits
from genpulse.domain.money.allowance import NO_LIMITS, Allowance
from genpulse.domain.task import Priority

_Command = TypeVar("_Command", bound=Callable[..., object])
_Options = Mapping[str, tuple[click.ParamType[Any], str]]
_COUNT = click.IntRange(1, 2**31 - 1)
_LONGEST_RETENTION = timedelta(days=3650)

_COUNTED: _Options = {
    "max_active_tasks": (_COUNT, "Tasks that have not ended, at most."),
    "daily_tasks": (_COUNT, "Tasks a day (UTC), at most."),
    "daily_usd": (Dollars(), "US dollars a day (UTC), by prices, at most."),
    "monthly_usd": (Dollars(), "US dollars a calendar month (UTC), by prices, at most."),
}
_OF_CUSTOMERS: _Options = {
    "limit_by": (
        MetadataField(),
        "Limit each end customer by itself, told apart by this field: metadata.customer.",
    ),
    "customer_max_active_tasks": (_COUNT, "Tasks of one end customer that have not ended, at most."),
    "customer_daily_tasks": (_COUNT, "Tasks of one end customer a day (UTC), at most."),
    "customer_daily_usd": (Dollars(), "US dollars of one end customer a day (UTC), at most."),
    "customer_monthly_usd": (Dollars(), "US dollars of one end customer a calendar month (UTC), at most."),
}
_OTHERS: _Options = {
    "rate": (RateType(), "Calls in a time, such as 10/s, at most."),
    "max_priority": (
        click.Choice(sorted(Priority), case_sensitive=False),
        "The highest priority of its tasks.",
    ),
    "retain": (
        Span(allows_none=True, longest=_LONGEST_RETENTION),
        "Delete its tasks so long after their end at the latest: 12h, 7d; 0 at once.",
    ),
}
_WEIGHT = click.option(
    "--weight",
    type=click.IntRange(1, HEAVIEST),
    help="So many of its tasks start in its turn, while tasks of other keys wait as well; 1 unless it is said.",
)


def limit_options(type_of: Callable[[Any], Any]) -> Callable[[_Command], _Command]:
    """All options that limit a key; `type_of` makes an option's type of the plain one."""

    def decorate(command: _Command) -> _Command:
        command = _WEIGHT(command)
        options = {**_COUNTED, **_OF_CUSTOMERS, **_OTHERS}
        for name, (kind, meaning) in reversed(options.items()):
            option = f"--{name.replace('_', '-')}"
            command = click.option(option, name, type=type_of(kind), help=meaning)(command)
        return command

    return decorate


def limits_after(current: KeyLimits, options: Mapping[str, Any]) -> KeyLimits:
    """The limits as these options change them; without a field no end customer has any.

    Raises `UsageError` where customers are limited and nothing tells them apart.
    """
    of_customers = NO_LIMITS if isinstance(options["limit_by"], Lifted) else current.customer
    limits = replace(
        current,
        **_counted_after(current, options),
        rate=after(options["rate"], current.rate),
        max_priority=after(options["max_priority"], current.max_priority),
        retain_s=after(converted(options["retain"], _seconds), current.retain_s),
        weight=options["weight"] or current.weight,
        limit_by=after(options["limit_by"], current.limit_by),
        customer=Allowance(**_counted_after(of_customers, options, "customer_")),
    )
    if limits.limit_by is None and limits.customer.limits_anything:
        raise click.UsageError(
            "The limits of end customers need --limit-by, such as --limit-by metadata.customer."
        )
    return limits


def _counted_after(allowance: Allowance, options: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    return {name: after(options[f"{prefix}{name}"], getattr(allowance, name)) for name in _COUNTED}


def _seconds(span: timedelta) -> int:
    return round(span.total_seconds())
