"""Plain git, as a process without a shell."""

import re
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from genpulse.branching.codes import Code
from genpulse.branching.errors import GitFailed, RepositoryUnfit

_LOCAL = 60.0
"""Seconds for what stays on this machine."""
_REMOTE = 300.0
"""Seconds for what talks to a remote."""
_TRIES = 4
"""How often a remote is asked at most that ends before git has said all."""
_ALWAYS = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "FLOW_AT_WORK": "1",  # lets a hook tell a step of the flow from a push by hand
    "LC_ALL": "C",
    "LANGUAGE": "C",
}
_SETTINGS = (
    "core.quotepath=off",
    "log.showSignature=false",
    "push.followTags=false",  # a tag of one's own is not published by the way
    "push.recurseSubmodules=no",
)
_OPTIONS = tuple(part for setting in _SETTINGS for part in ("-c", setting))
_OLDEST = (2, 38)
"""The first git with `merge-tree --write-tree`."""


@dataclass(frozen=True, slots=True)
class GitOutput:
    """The output of one git command, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def line(self) -> str:
        """Its standard output as one line."""
        return self.out.rstrip("\n")

    @property
    def fields(self) -> tuple[str, ...]:
        """Its standard output, split at NUL."""
        return tuple(self.out.rstrip("\0").split("\0")) if self.out else ()


class Git:
    """Runs git in a folder. `environment` is the whole environment of the process, without what is set here."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self.environment = environment
        self._answers: dict[tuple[tuple[str, ...], str | None], GitOutput] = {}

    def __call__(self, *arguments: str, stdin: str | None = None, ok: Sequence[int] = (0,)) -> GitOutput:
        """Raises `GitFailed` when the exit code is not one of `ok`."""
        return self._judged(arguments, self._run(arguments, stdin, _LOCAL), ok)

    def lasting(self, *arguments: str, stdin: str | None = None, ok: Sequence[int] = (0,)) -> GitOutput:
        """Run a command whose output never changes here, such as a question about objects by their full ids.

        It runs once and its output is kept: a process costs more than all that most commands do beside it.
        """
        key = (arguments, stdin)
        if key not in self._answers:
            self._answers[key] = self(*arguments, stdin=stdin, ok=ok)
        return self._answers[key]

    def remotely(self, *arguments: str, stdin: str | None = None) -> GitOutput:
        """Run a command that talks to a remote; it gets more time.

        A remote that has nothing to do may end before git has said all, for instance the options of a push of what
        is there already. That breaks git's pipe and nothing else, so it is asked again.
        """
        for _ in range(_TRIES):
            output = self._run(arguments, stdin, _REMOTE)
            if output.code != -signal.SIGPIPE:
                break
        return self._judged(arguments, output, (0,))

    def _judged(self, arguments: Sequence[str], output: GitOutput, ok: Sequence[int]) -> GitOutput:
        if output.code not in ok:
            raise _failure(arguments, output, self.folder)
        return output

    def _run(self, arguments: Sequence[str], stdin: str | None, seconds: float) -> GitOutput:
        command = ["git", *_OPTIONS, *arguments]
        try:
            process = subprocess.run(
                command,
                cwd=self.folder,
                env={**self.environment, **_ALWAYS},
                capture_output=True,
                timeout=seconds,
                check=False,
                stdin=subprocess.DEVNULL if stdin is None else None,
                input=None if stdin is None else stdin.encode(),
            )
        except FileNotFoundError as error:
            raise _missing(self.folder) from error
        except subprocess.TimeoutExpired as error:
            finding = f"git {arguments[0]} did not end within {seconds:.0f} seconds."
            rule, note = "Git has to answer in time.", "Is the remote reachable? Try again."
            raise GitFailed("git_timeout", rule, finding, note=note) from error
        return GitOutput(
            process.returncode, process.stdout.decode(errors="replace"), process.stderr.decode(errors="replace")
        )


def demand_version(git: Git) -> None:
    """Raises `RepositoryUnfit` when git is too old for the flow."""
    printed = git("version").line
    number = re.search(r"(\d+)\.(\d+)", printed)
    if number and (int(number[1]), int(number[2])) < _OLDEST:
        rule, oldest = "Merges are tried without a work tree.", ".".join(map(str, _OLDEST))
        note = f"Install git {oldest} or newer."
        raise RepositoryUnfit(
            "git_too_old", rule, f"this is {printed}, and {oldest} is the oldest that can.", note=note
        )


def _missing(folder: Path) -> RepositoryUnfit:
    if not folder.is_dir():
        rule, finding = "The flow is that of a folder's repository.", f"{folder} is no folder."
        return RepositoryUnfit("no_repository", rule, finding, note="Go to the repository.")
    rule, note = "The flow is worked with git.", "Install git 2.38 or newer."
    return RepositoryUnfit("git_missing", rule, "git is not on PATH.", note=note)


@dataclass(frozen=True, slots=True)
class _Case:
    """A failure of git: words of its message, in small letters, and what they mean."""

    sign: str
    code: Code
    rule: str
    note: str
    mend: tuple[str, ...] = ()


_NAMES_ITSELF = "git config user.name and user.email say who you are."
_ASK = "A branch goes there by a pull request; versions are tagged by those whom the remote lets do it."
_TRUST = "git config --global --add safe.directory "
_CASES = (
    _Case(
        "not a git repository",
        "no_repository",
        "The flow is that of a git repository.",
        "Clone it, or go to the repository.",
    ),
    _Case(
        "dubious ownership",
        "ownership_dubious",
        "Git only reads repositories of the same user.",
        "Run it as that user, or trust the folder, as a container's job has to that runs as another user.",
    ),
    _Case("tell me who you are", "identity_missing", "Commits and tags carry a name.", _NAMES_ITSELF),
    _Case("unable to auto-detect email", "identity_missing", "Commits and tags carry a name.", _NAMES_ITSELF),
    _Case(
        "would clobber existing tag", "tag_clobbered", "A published tag never moves.", "Look which one is right."
    ),
    _Case(
        "does not support --atomic",
        "remote_not_atomic",
        "A release is pushed as a whole.",
        "Use a remote with atomic pushes.",
    ),
    _Case(
        "failed to sign",
        "signing_failed",
        "Tags are signed here.",
        "Is the signing key there?",
        ("git config user.signingkey",),
    ),
    _Case(
        "could not read from remote",
        "remote_unreadable",
        "The remote has to be readable.",
        "Look at the address and the key.",
        ("git remote -v",),
    ),
    _Case(
        "authentication failed",
        "remote_unauthorised",
        "The remote has to let you in.",
        "Renew the credentials, then try again.",
    ),
    _Case(
        "terminal prompts disabled",
        "remote_unauthorised",
        "The remote has to let you in.",
        "Store the credentials, then try again.",
    ),
    _Case(
        "could not resolve host",
        "remote_unreachable",
        "The remote has to be reachable.",
        "Look at the network, or use --offline.",
    ),
    _Case(
        "failed to connect",
        "remote_unreachable",
        "The remote has to be reachable.",
        "Look at the network, or use --offline.",
    ),
    _Case("(already exists)", "tag_exists", "A version is tagged once.", "Somebody was faster. Run it again."),
    _Case("protected branch", "remote_guarded", "The remote guards this branch.", _ASK),
    _Case("protected tag", "remote_guarded", "The remote guards these tags.", _ASK),
    _Case("they are protected", "remote_guarded", "The remote guards these tags.", _ASK),
    _Case("it is protected", "remote_guarded", "The remote guards these tags.", _ASK),
    _Case("repository rule violations", "remote_guarded", "The remote guards this.", _ASK),
    _Case("non-fast-forward", "remote_moved", "The remote moved on in the meantime.", "Run it again."),
    _Case("fetch first", "remote_moved", "The remote moved on in the meantime.", "Run it again."),
    _Case("stale info", "remote_moved", "The remote moved on in the meantime.", "Run it again."),
    _Case(
        "usage: git merge-tree",
        "git_too_old",
        "Merges are tried without a work tree.",
        "Install git 2.38 or newer.",
    ),
    _Case(
        "index.lock",
        "repository_locked",
        "One git process works in a repository at a time.",
        "Wait for it, or remove the stale lock.",
    ),
)


def _failure(arguments: Sequence[str], output: GitOutput, folder: Path) -> GitFailed:
    text = output.err.strip() or output.out.strip() or f"exit code {output.code}"
    for case in _CASES:
        if case.sign in text.lower():
            lines = "\n".join(line.strip() for line in text.splitlines() if case.sign in line.lower())
            finding = f"git {arguments[0]} in {folder}: {lines}"
            return GitFailed(case.code, case.rule, finding, *case.mend, *_advised(text), note=case.note)
    finding = f"git {arguments[0]} in {folder}: {text}"
    return GitFailed("git_failed", "Git has to do its part.", finding, note="Mend what git says.")


def _advised(text: str) -> tuple[str, ...]:
    """The command by which git itself says a folder is trusted."""
    return tuple(line.strip() for line in text.splitlines() if line.strip().startswith(_TRUST))
