"""`genpulse env stamp`: says, once, to which environment a database belongs."""

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine
from dataclasses import asdict, dataclass

import click

from genpulse.cli.errors import CommandRefused
from genpulse.cli.output.terminal import say, say_json_line
from genpulse.cli.stack import json_option, settings_for_servers
from genpulse.configuration.settings import Settings
from genpulse.domain.errors import CopiedDatabase, ForeignDatabase
from genpulse.environment.table import BY_DYNACONF, BY_NAME, environment_named
from genpulse.wiring.database import (
    StampedDatabase,
    confirm_moved,
    confirm_restored,
    database_stamp,
    empty_copy,
    stamp_database,
)

_OFF = "The one that was stamped must be off for good, or each task is run twice."


@dataclass(frozen=True, slots=True)
class _Kind:
    """What a database may be that is not where it was stamped, and what is asked and done then."""

    question: str
    act: Callable[[Settings], Coroutine[None, None, StampedDatabase]]


_MOVED = _Kind(
    f"{{database}} is the database of {{environment}} from now on, and runs its tasks. {_OFF}", confirm_moved
)
_RESTORED = _Kind(
    "{database} is the database of {environment} from now on, as it was at the time of its backup. What may have"
    f" been ordered since then is not ordered anew. {_OFF}",
    confirm_restored,
)
_COPY = _Kind(
    "{database} is a copy of the database of {environment}: its live tasks are ended, its waiting webhooks and API"
    " keys are removed. Give it a storage of its own: old assets are removed by rule.",
    empty_copy,
)
_KINDS = (_MOVED, _RESTORED, _COPY)
_NAMES = click.Choice((*BY_NAME, *BY_DYNACONF), case_sensitive=False)


@click.command("stamp")
@click.option("--from", "replaces", type=_NAMES, metavar="NAME", help="Stamp it again: to whom it belongs now.")
@click.option("--to", "becomes", type=_NAMES, metavar="NAME", help="Stamp it again: to whom it shall belong.")
@click.option("--moved", is_flag=True, help="It is the original, and was moved to here with all that is in it.")
@click.option("--restored", is_flag=True, help="It is the original, as it was at the time of a backup.")
@click.option("--copy", "copied", is_flag=True, help="It is a copy: empty it of all that would act.")
@json_option
def command(
    replaces: str | None, becomes: str | None, moved: bool, restored: bool, copied: bool, as_json: bool
) -> None:
    """Say that the database of this environment belongs to it. Done once; in dev, db upgrade does it.

    From then on every process of another environment refuses the database, and so does one of this environment
    while there is no stamp. A database that holds tasks of another environment is not stamped.

    With --from and --to, a database is given to another environment. The stamp notes on which database it was put:
    in a copy, or after a move, every process refuses to start until --moved, --restored or --copy says which it
    is. With --restored, live tasks without a job at their vendor may have been ordered since the backup: what may
    cost something is not ordered anew, and ends as unknown_outcome for a person to look at.

    These ask a person to type the database's name. --from, --copy and --restored want no process of GenPulse to be
    connected. --from and --copy end the live tasks in it, and remove waiting webhooks, API keys and the queue.
    """
    settings = settings_for_servers(("database_url",))
    if sum((moved, restored, copied, bool(replaces or becomes))) > 1:
        raise click.UsageError("--moved, --restored, --copy, and --from with --to are different things: give one.")
    kind = next((kind for kind, is_meant in zip(_KINDS, (moved, restored, copied), strict=True) if is_meant), None)
    try:
        database = _stamped(settings, replaces, becomes, kind)
    except ForeignDatabase as error:
        raise CommandRefused(_refusal(error), exit_code=os.EX_CONFIG) from error
    _tell(database, as_json=as_json)


def _stamped(settings: Settings, replaces: str | None, becomes: str | None, kind: _Kind | None) -> StampedDatabase:
    if kind is not None:
        _confirm_which(settings, kind)
        return asyncio.run(kind.act(settings))
    given_by = _giver(settings, replaces, becomes)
    if given_by is not None:
        _confirm(settings, given_by)
    return asyncio.run(stamp_database(settings, replaces=given_by))


def _tell(database: StampedDatabase, *, as_json: bool) -> None:
    stamp = database.stamp
    if stamp is None:
        raise CommandRefused(f"The stamp of {database.name!r} was removed while it was looked at. Try again.")
    if as_json:
        facts = {"database": database.name, "environment": stamp.environment, "changed": database.changed}
        moment = {"stamped_at": stamp.stamped_at.isoformat(), "stamped_by": stamp.stamped_by}
        emptied = {"emptied": asdict(database.emptied)} if database.emptied else {}
        doubtful = {} if database.doubtful is None else {"doubtful": database.doubtful}
        say_json_line(facts | moment | emptied | doubtful)
        return
    if database.changed:
        say(f"The database {database.name!r} belongs to {stamp.environment} from now on.")
    else:
        say(f"The database {database.name!r} belongs to {stamp.environment} already ({stamp}).")
    if database.emptied:
        say(f"Emptied: {database.emptied}.")
    if database.doubtful is not None:
        say(f"{database.doubtful} live tasks may have been ordered since the backup; none is ordered anew.")


def _giver(settings: Settings, replaces: str | None, becomes: str | None) -> str | None:
    """The environment that gives its database away to ours; None when no stamp is to be replaced."""
    if replaces is None and becomes is None:
        return None
    before, after = environment_named(replaces or ""), environment_named(becomes or "")
    if before is None or after is None:
        raise click.UsageError("--from and --to go together: --from test --to main.")
    if before == after:
        raise click.UsageError(f"--from and --to both name {after.name}.")
    if after != settings.environment:
        raise CommandRefused(
            f"--to names {after.name}, and this process is {settings.environment.name} by {settings.decided_by}."
            f" Run it with ENV={after.name} and that environment's GENPULSE_DATABASE_URL."
        )
    return before.name


def _confirm(settings: Settings, replaces: str) -> None:
    """Let a person at a terminal type the database's name. Raises `CommandRefused`."""
    database, name = asyncio.run(database_stamp(settings)), settings.environment.name
    belongs_to = database.stamp.environment if database.stamp else "nobody"
    if belongs_to == name:
        return
    if belongs_to != replaces:
        raise CommandRefused(
            f"The database {database.name!r} belongs to {belongs_to}, not to {replaces}. Nothing was changed."
        )
    _typed(
        database.name,
        f"{database.name!r} belongs to {replaces}. Only a person at a terminal can give it to {name}",
        f"{database.name!r} belongs to {replaces}. {name} gets it, and does not run its tasks: they are ended, its"
        " waiting webhooks and API keys are removed.",
    )


def _confirm_which(settings: Settings, kind: _Kind) -> None:
    """Let a person say what kind of database this one is. Raises `CommandRefused`."""
    database, name = asyncio.run(database_stamp(settings)), settings.environment.name
    stamp = database.stamp
    if stamp is None or stamp.environment != name:
        return  # what follows says whose it is
    if not stamp.is_elsewhere and kind is _MOVED:
        return  # said before
    if not stamp.is_elsewhere and kind is _COPY:
        raise CommandRefused(
            f"{database.name!r} is the database that was stamped for {name}, as far as can be seen. A copy made"
            " file by file cannot be told from its original; give that to another environment with --from and"
            " --to. Nothing was changed."
        )
    _typed(
        database.name,
        f"What has become of {database.name!r} only a person can say",
        kind.question.format(database=repr(database.name), environment=name),
    )


def _typed(name: str, unless_terminal: str, question: str) -> None:
    """Let a person at a terminal type the database's name. Raises `CommandRefused`."""
    if not sys.stdin.isatty():
        raise CommandRefused(f"{unless_terminal}, and this is no terminal. Nothing was changed.")
    say(question, err=True)
    typed: str = click.prompt("Type the name of the database to go on", err=True)
    if typed.strip() != name:
        raise CommandRefused(f"{typed.strip()!r} is not its name. Nothing was changed.")


def _refusal(error: ForeignDatabase) -> str:
    if not error.stamped or isinstance(error, CopiedDatabase):
        return str(error)
    again = f"`genpulse env stamp --from {error.theirs} --to {error.ours}`"
    return f"{error} If it is to belong to {error.ours}: {again}."
