"""Where git looks for hooks."""

import os
import shlex
from collections.abc import Mapping
from pathlib import Path

from genpulse.branching.git import Git

HOOKS = ".githooks"
_SETTING = "core.hooksPath"


def hooks_step(folder: Path, environment: Mapping[str, str] = os.environ) -> str:
    """What `write` does so that git runs the hooks, or why it leaves that to a person; empty when they run.

    Another `core.hooksPath` stays, whether of this clone or of the whole machine: its hooks would silently end.
    Raises `GitFailed`.
    """
    git = Git(folder, environment)
    now = _now(git)
    if now and _is_ours(folder, now):
        return ""
    if now:
        call = f'{HOOKS}/pre-push "$@"'
        return f"{_SETTING} is {now} and stays; call {HOOKS} from its pre-push ({call})."
    lost = ", ".join(_unreached(git))
    rest = f" What is in .git/hooks is not run any more: {lost}." if lost else ""
    return f"git config {_SETTING} {HOOKS}, for this clone.{rest}"


def reach_hooks(folder: Path, environment: Mapping[str, str] = os.environ) -> None:
    """Set `core.hooksPath` in this clone when it is not set at all. Raises `GitFailed`."""
    git = Git(folder, environment)
    if not _now(git):
        git("config", "--local", _SETTING, HOOKS)


def _now(git: Git) -> str:
    return git("config", "--get", _SETTING, ok=(0, 1)).line.strip()


def _is_ours(folder: Path, path: str) -> bool:
    return (folder / Path(path).expanduser()).resolve() == (folder / HOOKS).resolve()


def _unreached(git: Git) -> list[str]:
    place = git.folder / git("rev-parse", "--git-path", "hooks").line
    found = place.iterdir() if place.is_dir() else ()
    return sorted(
        shlex.quote(hook.name) for hook in found if hook.suffix != ".sample" and os.access(hook, os.X_OK)
    )
