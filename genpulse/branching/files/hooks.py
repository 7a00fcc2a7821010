"""The folder in which git looks for hooks, and how ours runs beside others."""

import os
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from genpulse.branching.files import chaining
from genpulse.branching.files.ownership import is_ours, place
from genpulse.branching.git.process import Git

HOOKS = ".githooks"
HOOK = "pre-push"
_SETTING = "core.hooksPath"
_SET_BY_US = "flow.setHooksPath"
_HUSKY = ".husky/_"
"""Where husky has git look; what people write lies in the folder above."""


@dataclass(frozen=True, slots=True)
class _Reached:
    """Where git looks: `setting` is `core.hooksPath`, `inside` that folder in the repository, None if outside."""

    setting: str
    inside: str | None

    @property
    def is_ours(self) -> bool:
        """Whether git runs, or is going to run, what lies in our folder."""
        return not self.setting or self.inside == HOOKS


def hook_path(folder: Path) -> str:
    """The path that our hook is written to, which is beside a hook that the team has there."""
    return place(folder, f"{HOOKS}/{HOOK}")


def chained(folder: Path, environment: Mapping[str, str] = os.environ) -> Iterator[tuple[str, bytes]]:
    """Files beside our hook, so that it runs and so does every other: a path and its content.

    A hook of the team gets a block that calls ours; a hook of this clone alone, which `core.hooksPath` would
    switch off, gets a file that runs it.
    """
    reached, own_hook = _reached(folder, environment), hook_path(folder)
    if reached.inside is not None:
        other_hook = f"{reached.inside}/{HOOK}"
        if other_hook != own_hook:
            yield from _called(folder, other_hook, own_hook)
    if reached.is_ours:
        for name in _of_this_clone(folder):
            path = f"{HOOKS}/{name}"
            if name != HOOK and (not (folder / path).exists() or is_ours((folder / path).read_bytes())):
                yield path, chaining.runner(name)


def hooks_step(folder: Path, environment: Mapping[str, str] = os.environ) -> str:
    """What `write` does so that git runs the hooks, or what is left to a person; empty when they run.

    Another `core.hooksPath` stays, whether of this clone or of the whole machine: its hooks would silently end.
    Raises `GitFailed`.
    """
    reached = _reached(folder, environment)
    if not reached.setting:
        foreign_hooks = [name for name in _of_this_clone(folder) if _is_foreign(folder / HOOKS / name)]
        rest = (
            f" These in .git/hooks end, since {HOOKS} has its own: {', '.join(foreign_hooks)}."
            if foreign_hooks
            else ""
        )
        return f"git config {_SETTING} {HOOKS}, for this clone.{rest}"
    own_hook = hook_path(folder)
    other_hook = f"{reached.inside}/{HOOK}"
    if reached.inside is not None and (other_hook == own_hook or _can_call(folder / other_hook)):
        return ""
    call = f'"$(git rev-parse --show-toplevel)/{own_hook}" "$@"'
    return f"{_SETTING} is {reached.setting} and stays; call {own_hook} from its {HOOK} ({call})."


def reach_hooks(folder: Path, environment: Mapping[str, str] = os.environ) -> None:
    """Set `core.hooksPath` in this clone when it is not set at all. Raises `GitFailed`."""
    git = Git(folder, environment)
    if not _setting(git):
        git("config", "--local", _SETTING, HOOKS)
        git("config", "--local", _SET_BY_US, "true")


def leave_hooks(folder: Path, environment: Mapping[str, str] = os.environ) -> None:
    """Take our `core.hooksPath` out of this clone, unless somebody else's hooks lie there. Raises `GitFailed`."""
    git = Git(folder, environment)
    setting = git("config", "--local", "--get", _SETTING, ok=(0, 1)).line.strip()
    by_us = git("config", "--local", "--get", _SET_BY_US, ok=(0, 1)).line == "true"
    has_hooks = (folder / HOOKS).is_dir() and any((folder / HOOKS).iterdir())
    if setting and _inside(folder, setting) == HOOKS and (by_us or not has_hooks):
        git("config", "--local", "--unset-all", _SETTING)
    if by_us:
        git("config", "--local", "--unset-all", _SET_BY_US)


def _called(folder: Path, other_hook: str, own_hook: str) -> Iterator[tuple[str, bytes]]:
    file = folder / other_hook
    if not file.is_file():
        yield other_hook, chaining.caller(own_hook)
    elif chaining.is_shell(file.read_bytes()):
        yield other_hook, chaining.with_call(file.read_bytes(), own_hook)


def _can_call(file: Path) -> bool:
    return not file.is_file() or chaining.is_shell(file.read_bytes())


def _is_foreign(file: Path) -> bool:
    return file.is_file() and not is_ours(file.read_bytes()) and file.name != HOOK


def _reached(folder: Path, environment: Mapping[str, str]) -> _Reached:
    setting = _setting(Git(folder, environment))
    return _Reached(setting, _inside(folder, setting) if setting else HOOKS)


def _setting(git: Git) -> str:
    return git("config", "--get", _SETTING, ok=(0, 1)).line.strip()


def _inside(folder: Path, setting: str) -> str | None:
    """The folder below the repository, or None."""
    there, root = (folder / Path(setting).expanduser()).resolve(), folder.resolve()
    if not there.is_relative_to(root) or there.is_relative_to(root / ".git"):
        return None
    path = there.relative_to(root).as_posix()
    return path.removesuffix("/_") if path == _HUSKY else path


def _of_this_clone(folder: Path) -> list[str]:
    """Hooks that lie in this clone alone, and run."""
    git = folder / ".git"
    if not git.exists():
        return []
    hooks = folder / Git(folder, os.environ)("rev-parse", "--git-common-dir").line / "hooks"
    files = hooks.iterdir() if hooks.is_dir() else ()
    return sorted(
        shlex.quote(hook.name) for hook in files if hook.suffix != ".sample" and os.access(hook, os.X_OK)
    )
