"""The refusal to change settings."""

from collections.abc import Callable
from typing import NoReturn


class SettingsDoNotChange(AttributeError, TypeError):
    """Somebody wanted to change the settings of a process, or to read those of another environment into it.

    To whoever asks first, as Dynaconf's validators do, what would change them is not there.
    """

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} is not possible: settings are read once, at the start, and do not change. Set the variable"
            " or the line in .env, and start the process again."
        )


def refusing(what: str) -> Callable[..., NoReturn]:
    """A method that does nothing but refuse `what`."""

    def refuse(_: object, *_arguments: object, **_options: object) -> NoReturn:
        raise SettingsDoNotChange(what)

    return refuse
