"""`--environment`, by either of its names."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from genpulse.environment.table import BY_DYNACONF, BY_NAME, Environment, environment_named

F = TypeVar("F", bound=Callable[..., Any])


class _EnvironmentName(click.ParamType[Environment]):
    name = "environment"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Environment:
        """Find the row of the table of environments."""
        if isinstance(value, Environment):
            return value
        environment = environment_named(str(value))
        if environment is None:
            self.fail(f"{value!r} is none of {', '.join((*BY_NAME, *BY_DYNACONF))}", param, ctx)
        return environment


def environment_option(help_text: str) -> Callable[[F], F]:
    """An option that takes the value of ENV or of ENV_FOR_DYNACONF."""
    return click.option("--environment", type=_EnvironmentName(), metavar="NAME", help=help_text)
