"""What `genpulse flow install` writes: hooks, the gate for CI, rules for the forge."""

import difflib
import json
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Literal, TypeAlias

from genpulse.branching.files import rulesets
from genpulse.branching.table import DEV, LANES

Forge: TypeAlias = Literal["github", "gitlab"]
HOOKS = ".githooks"


@dataclass(frozen=True, slots=True)
class Planned:
    """A file: its path below the repository, its content, and the difference to what is there, empty for none."""

    path: str
    diff: str
    content: str


def plan(folder: Path, forge: Forge) -> tuple[Planned, ...]:
    """Everything that belongs into the repository. Nothing is written."""
    return tuple(_planned(folder, path, content) for path, content in _contents(folder, forge))


def write(folder: Path, planned: Sequence[Planned]) -> None:
    """Write what differs, and tell git where the hooks are."""
    for file in planned:
        path = folder / file.path
        if file.diff:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(file.content, encoding="utf-8")
        if path.parent.name == HOOKS:
            path.chmod(0o755)
    subprocess.run(["git", "config", "core.hooksPath", HOOKS], cwd=folder, check=True, capture_output=True)


def _contents(folder: Path, forge: Forge) -> Iterator[tuple[str, str]]:
    yield f"{HOOKS}/pre-push", _hook()
    if forge == "gitlab":
        yield ".gitlab/flow.yml", _filled("gitlab/flow.yml", GENPULSE=_genpulse(folder))
        yield ".gitlab/protection.json", _json(rulesets.gitlab_protection())
        return
    yield ".github/workflows/flow.yml", _workflow(folder)
    for name, ruleset in rulesets.github_rulesets().items():
        yield f".github/rulesets/{name}.json", _json(ruleset)
    yield ".github/environments.json", _json(rulesets.github_environments())


def _workflow(folder: Path) -> str:
    came_from = "\n".join(
        f"              {row.pattern}) HEAD_REF={row.starts_from[0]} ;;" for row in LANES if row is not DEV
    )
    lanes = ", ".join(row.pattern for row in LANES if row is not DEV)
    return _filled("github/flow.yml", LANES=lanes, CAME_FROM=came_from, GENPULSE=_genpulse(folder))


def _hook() -> str:
    refs = " | ".join(f"refs/heads/{row.pattern}" for row in LANES)
    return _filled("pre-push", LANE_REFS=f"    {refs}", TRUNK=DEV.pattern)


def _genpulse(folder: Path) -> str:
    """GenPulse's own repository installs itself, everybody else the released package."""
    return "." if (folder / "genpulse/branching/table.py").is_file() else "genpulse"


def _filled(template: str, **values: str) -> str:
    text = files(__package__).joinpath("templates", *template.split("/")).read_text(encoding="utf-8")
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    return text


def _json(document: object) -> str:
    return json.dumps(document, indent=2) + "\n"


def _planned(folder: Path, path: str, content: str) -> Planned:
    file = folder / path
    before = file.read_text(encoding="utf-8") if file.is_file() else ""
    difference = difflib.unified_diff(
        before.splitlines(keepends=True),
        content.splitlines(keepends=True),
        f"a/{path}" if file.is_file() else "/dev/null",
        f"b/{path}",
    )
    return Planned(path, "".join(difference), content)
