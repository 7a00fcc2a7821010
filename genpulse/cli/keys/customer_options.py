"""The options of `genpulse keys` about end customers inside a key."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

import click

from genpulse.cli.keys.option_types import Dollars, Lifted, MetadataField, after
from genpulse.domain.keys.api_key import KeyLimits
from genpulse.domain.money.allowance import NO_LIMITS, Allowance

_Command = TypeVar("_Command", bound=Callable[..., object])
_COUNT = click.IntRange(1, 2**31 - 1)
_LIMITS: Mapping[str, tuple[click.ParamType[Any], str]] = {
    "max_active_tasks": (_COUNT, "Tasks of one end customer that have not ended, at most."),
    "daily_tasks": (_COUNT, "Tasks of one end customer a day (UTC), at most."),
    "daily_usd": (Dollars(), "US dollars of one end customer a day (UTC), at most."),
    "monthly_usd": (Dollars(), "US dollars of one end customer a calendar month (UTC), at most."),
}


def customer_options(type_of: Callable[[Any], Any]) -> Callable[[_Command], _Command]:
    """`--limit-by` and the limits of each end customer; `type_of` makes an option's type of the plain one."""

    def decorate(command: _Command) -> _Command:
        for name, (kind, meaning) in reversed(list(_LIMITS.items())):
            option = f"--customer-{name.replace('_', '-')}"
            command = click.option(option, f"customer_{name}", type=type_of(kind), help=meaning)(command)
        meaning = "Limit each end customer by itself, told apart by this field: metadata.customer."
        return click.option("--limit-by", type=type_of(MetadataField()), help=meaning)(command)

    return decorate


def with_customers(limits: KeyLimits, asked: Mapping[str, Any]) -> KeyLimits:
    """The limits as these options change them; without a field no end customer has any.

    Raises `UsageError` where customers are limited and nothing tells them apart.
    """
    ends = isinstance(asked["limit_by"], Lifted)
    held = NO_LIMITS if ends else limits.customer
    customer = Allowance(**{name: after(asked[f"customer_{name}"], getattr(held, name)) for name in _LIMITS})
    limit_by = after(asked["limit_by"], limits.limit_by)
    if limit_by is None and customer.limits_anything:
        raise click.UsageError(
            "The limits of end customers need --limit-by, such as --limit-by metadata.customer."
        )
    return replace(limits, limit_by=limit_by, customer=customer)
