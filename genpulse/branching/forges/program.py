"""A forge's own command, when it is installed."""

import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from genpulse.branching.forges.errors import ForgeError
from genpulse.branching.forges.tokens import without_tokens
from genpulse.branching.git.process import Git

_PAGE = re.compile(r"https?://[^\s\"']+/(?:pull|merge_requests)/\d+")
_NUMBER = re.compile(r"already exists[^!\n]*!(\d+)")
_SECONDS = 120
_QUIET = {"GH_PROMPT_DISABLED": "1", "GLAB_NO_PROMPT": "1", "NO_COLOR": "1"}


@dataclass(frozen=True, slots=True)
class ProgramReply:
    """The pull request's page as the command named it, or else its number (GitLab's `!12`); both may be empty."""

    url: str
    number: str


def program_reply(name: str, arguments: Sequence[str], git: Git, *, by_hand: str) -> ProgramReply | None:
    """The reply of a forge's command about the pull request that it opened, or that was open already.

    None when it is not installed. `by_hand` is the page on which a person could do the same. Raises `ForgeError`.
    """
    program = shutil.which(name, path=git.environment.get("PATH"))
    if program is None:
        return None
    process = _run(name, [program, *arguments], git, by_hand)
    pages = _PAGE.findall(process.stdout)
    if process.returncode == 0:
        return ProgramReply(pages[-1] if pages else "", "")
    if "already exists" in process.stderr:
        pages = _PAGE.findall(process.stderr)
        number = _NUMBER.search(process.stderr)
        return ProgramReply(pages[-1] if pages else "", number[1] if number else "")
    why = " ".join((process.stderr or process.stdout).split()) or f"nothing, and ended with {process.returncode}"
    raise _refused(f"{name} said: {without_tokens(why, git.environment)}", name, by_hand)


def run_program(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], seconds: float
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, without input and with its output as text. Raises `OSError`, `TimeoutExpired`."""
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=seconds,
        check=False,
    )


def _run(name: str, command: list[str], git: Git, by_hand: str) -> subprocess.CompletedProcess[str]:
    try:
        return run_program(command, git.folder, {**git.environment, **_QUIET}, _SECONDS)
    except subprocess.TimeoutExpired as error:
        raise _refused(f"{name} did not end within {_SECONDS} s.", name, by_hand) from error
    except OSError as error:
        finding = f"{command[0]} cannot be run: {error.strerror}"
        note = f"Mend it, or remove it from PATH.\nOpen it by hand: {by_hand}"
        raise ForgeError(finding, note=note) from error


def _refused(finding: str, name: str, by_hand: str) -> ForgeError:
    return ForgeError(finding, f"{name} auth status", note=f"Open it by hand: {by_hand}")
