"""Migrations that a process has read are read no more.

Alembic reads all of them anew for each that it applies, which is two thirds of what an upgrade from nothing costs,
and dozens of tests begin with one.
"""

from functools import cache

from alembic.config import Config
from alembic.script import ScriptDirectory

_read = ScriptDirectory.from_config


@cache
def _at(folder: str) -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", folder)
    config.set_main_option("path_separator", "os")
    return _read(config)


def _kept(config: Config) -> ScriptDirectory:
    folder = config.get_main_option("script_location")
    assert folder is not None, "we name the folder of migrations"
    return _at(folder)


def keep() -> None:
    """From now on."""
    ScriptDirectory.from_config = staticmethod(_kept)  # type: ignore[method-assign]
