"""Where git looks for hooks."""

import os
import shlex
from pathlib import Path

from genpulse.branching.git import Git

HOOKS = ".githooks"
_SETTING = "core.hooksPath"


def hooks_step(folder: Path) -> str:
    """What `write` does so that git runs the hooks, or why it leaves that to a person; empty when they run.

    Another `core.hooksPath` stays, whether of this clone or of the whole machine: its hooks would silently end.
    Raises `GitFailed`.
    """
    now = _now(folder)
    if now and _is_ours(folder, now):
        return ""
    if now:
        call = f'{HOOKS}/pre-push "$@"'
        return f"{_SETTING} is {now} and stays; call {HOOKS} from its pre-push ({call})."
    lost = ", ".join(_unreached(folder))
    rest = f" What is in .git/hooks is not run any more: {lost}." if lost else ""
    return f"git config {_SETTING} {HOOKS}, for this clone.{rest}"


def reach_hooks(folder: Path) -> None:
    """Set `core.hooksPath` in this clone when it is not set at all. Raises `GitFailed`."""
    if not _now(folder):
        _git(folder)("config", "--local", _SETTING, HOOKS)


def _now(folder: Path) -> str:
    return _git(folder)("config", "--get", _SETTING, ok=(0, 1)).line.strip()


def _is_ours(folder: Path, path: str) -> bool:
    return (folder / Path(path).expanduser()).resolve() == (folder / HOOKS).resolve()


def _unreached(folder: Path) -> list[str]:
    place = folder / _git(folder)("rev-parse", "--git-path", "hooks").line
    found = place.iterdir() if place.is_dir() else ()
    return sorted(
        shlex.quote(hook.name) for hook in found if hook.suffix != ".sample" and os.access(hook, os.X_OK)
    )


def _git(folder: Path) -> Git:
    return Git(folder, os.environ)
