"""Plain git, as a process without a shell."""

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from genpulse.branching.errors import GitFailed, RepositoryUnfit

_LOCAL = 60.0
"""Seconds for what stays on this machine."""
_REMOTE = 300.0
"""Seconds for what talks to a remote."""
_ALWAYS = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "FLOW_AT_WORK": "1",  # lets a hook tell a step of the flow from a push by hand
    "LC_ALL": "C",
    "LANGUAGE": "C",
}
_OPTIONS = ("-c", "core.quotepath=off", "-c", "log.showSignature=false")


@dataclass(frozen=True, slots=True)
class Said:
    """What git printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def line(self) -> str:
        """Its one line."""
        return self.out.rstrip("\n")

    @property
    def fields(self) -> tuple[str, ...]:
        """What it printed, split at NUL."""
        return tuple(self.out.rstrip("\0").split("\0")) if self.out else ()


class Git:
    """Runs git in a folder. `environment` is the whole environment of the process, without what is set here."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self.environment = environment

    def __call__(self, *arguments: str, stdin: str | None = None, ok: Sequence[int] = (0,)) -> Said:
        """Raises `GitFailed` when the exit code is not one of `ok`."""
        return self._checked(arguments, stdin, ok, _LOCAL)

    def remotely(self, *arguments: str) -> Said:
        """The same for a command that talks to a remote; it gets more time."""
        return self._checked(arguments, None, (0,), _REMOTE)

    def _checked(self, arguments: Sequence[str], stdin: str | None, ok: Sequence[int], seconds: float) -> Said:
        said = self._run(arguments, stdin, seconds)
        if said.code not in ok:
            raise _failure(arguments, said, self.folder)
        return said

    def _run(self, arguments: Sequence[str], stdin: str | None, seconds: float) -> Said:
        command = ["git", *_OPTIONS, *arguments]
        try:
            done = subprocess.run(
                command,
                cwd=self.folder,
                env={**self.environment, **_ALWAYS},
                capture_output=True,
                timeout=seconds,
                check=False,
                input=(stdin or "").encode(),
            )
        except FileNotFoundError as error:
            raise _missing(self.folder) from error
        except subprocess.TimeoutExpired as error:
            found = f"git {arguments[0]} did not end within {seconds:.0f} seconds."
            raise GitFailed("Git has to answer in time.", found, "Is the remote reachable? Try again.") from error
        return Said(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))


def _missing(folder: Path) -> RepositoryUnfit:
    if not folder.is_dir():
        return RepositoryUnfit(
            "The flow is that of a folder's repository.", f"{folder} is no folder.", "cd into it."
        )
    return RepositoryUnfit("The flow is worked with git.", "git is not on PATH.", "Install git 2.38 or newer.")


_KNOWN = (
    ("not a git repository", "The flow is that of a git repository.", "git clone, or cd into the repository"),
    ("dubious ownership", "Git only reads repositories of the same user.", "git config --global safe.directory"),
    ("tell me who you are", "Commits and tags carry a name.", "git config user.name …; git config user.email …"),
    ("unable to auto-detect email", "Commits and tags carry a name.", "git config user.name …; user.email …"),
    ("would clobber existing tag", "A published tag never moves.", "Delete the tag here: git tag -d <tag>"),
    ("does not support --atomic", "A release is pushed as a whole.", "Use a remote with atomic pushes."),
    ("failed to sign", "Tags are signed here.", "Is the signing key there? git config user.signingkey"),
    (
        "could not read from remote",
        "The remote has to be readable.",
        "git remote -v; look at the address and key.",
    ),
    ("authentication failed", "The remote has to let you in.", "Renew the credentials, then try again."),
    ("terminal prompts disabled", "The remote has to let you in.", "Store credentials: git credential approve"),
    ("could not resolve host", "The remote has to be reachable.", "Look at the network, or use --offline."),
    ("(already exists)", "A version is tagged once.", "Somebody was faster. Run it again."),
    ("protected branch", "The remote guards this branch.", "Run it without --merge, or ask who may push there."),
    (
        "repository rule violations",
        "The remote guards this.",
        "Run it without --merge, or ask who may push there.",
    ),
    ("non-fast-forward", "The remote moved on in the meantime.", "Run it again."),
    ("fetch first", "The remote moved on in the meantime.", "Run it again."),
    ("stale info", "The remote moved on in the meantime.", "Run it again."),
    ("usage: git merge-tree", "Merges are tried without a work tree.", "Install git 2.38 or newer."),
    ("index.lock", "One git process works in a repository at a time.", "Wait for it, or remove the stale lock."),
)


def _failure(arguments: Sequence[str], said: Said, folder: Path) -> GitFailed:
    text = said.err.strip() or said.out.strip() or f"exit code {said.code}"
    for sign, rule, mend in _KNOWN:
        if sign in text.lower():
            lines = "\n".join(line.strip() for line in text.splitlines() if sign in line.lower())
            return GitFailed(rule, f"git {arguments[0]} in {folder}: {lines}", mend)
    return GitFailed("Git has to do its part.", f"git {arguments[0]} in {folder}: {text}", "Mend what git says.")
