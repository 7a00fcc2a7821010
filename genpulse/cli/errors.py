"""Messages and exit codes of errors: 1 refused or failed, 2 misuse, 78 bad configuration."""

import errno
import io
import os
import traceback

import click

from genpulse.cli.output.terminal import say

_INTERRUPTED = 130

_EXPECTED = {
    ("genpulse.configuration.errors", "ConfigurationError"): os.EX_CONFIG,
    ("genpulse.environment.errors", "EnvironmentProblem"): os.EX_CONFIG,
    ("genpulse.domain.errors.unavailable", "ForeignDatabase"): os.EX_CONFIG,
    ("genpulse.domain.errors.unavailable", "UnstampedDatabase"): os.EX_CONFIG,
    ("genpulse.addresses.postgresql", "BadDatabaseAddress"): os.EX_CONFIG,
    ("genpulse.adapters.redis.address", "BadRedisAddress"): os.EX_CONFIG,
    ("genpulse_client.errors", "GenPulseError"): 1,
    ("genpulse.dev.errors", "DevStackError"): 1,
    ("genpulse.domain.errors.base", "GenPulseError"): 1,
    ("genpulse.cli.errors", "CommandRefused"): 1,
}


class CommandRefused(Exception):
    """The command cannot do what it was asked for."""

    def __init__(self, message: str, *, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def exit_code_of(error: BaseException, *, debug: bool) -> int:
    """Say what is wrong on standard error and return the exit code."""
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, KeyboardInterrupt | click.Abort):
        return _INTERRUPTED
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else 1
    if isinstance(error, click.ClickException):
        message = io.StringIO()
        error.show(message)
        say(message.getvalue(), err=True, nl=False)
        return error.exit_code
    if isinstance(error, BrokenPipeError):
        return 1
    if debug:
        say("".join(traceback.format_exception(error)), err=True, nl=False)
    code = _expected(error)
    if code is not None:
        say(f"genpulse: {_hung(str(error))}", err=True)
        return code
    if isinstance(error, OSError) and error.filename is None and error.errno == errno.ENOSPC:
        say(f"genpulse: What was to be written could not be: {error.strerror}.", err=True)
        return 1
    if not debug:
        what = _hung(f"{type(error).__name__}: {error}")
        say(f"genpulse: unexpected error: {what}\nRun it again as `genpulse --debug …` to see where.", err=True)
    return 1


def _hung(text: str) -> str:
    """Indent all lines but the first, so that text of others cannot pass for a message of ours."""
    first, *others = text.splitlines() or [""]
    return "\n".join([first, *(line if line.startswith(" ") else f"  {line}" for line in others)])


def _expected(error: BaseException) -> int | None:
    """The exit code of an expected error, looked up by name so that nothing is imported."""
    for cls in type(error).__mro__:
        code = _EXPECTED.get((cls.__module__, cls.__name__))
        if code is not None:
            own = getattr(error, "exit_code", code)
            return own if isinstance(own, int) else code
    return None
