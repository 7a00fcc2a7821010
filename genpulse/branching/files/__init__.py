"""What `genpulse flow install` writes: hooks, the gate for CI, rules for the forge."""

import json
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Literal, TypeAlias

from genpulse.branching.files import rulesets
from genpulse.branching.files.hooks import HOOKS, hooks_step
from genpulse.branching.files.planned import Planned, compared
from genpulse.branching.files.writing import write
from genpulse.branching.table import DEV, LANES, QUEUE

__all__ = ["HOOKS", "Forge", "Planned", "hooks_step", "plan", "write"]

Forge: TypeAlias = Literal["github", "gitlab"]


def plan(folder: Path, forge: Forge) -> tuple[Planned, ...]:
    """Everything that belongs into the repository. Nothing is written.

    Raises `FileInTheWay` when a file cannot be written where it belongs.
    """
    return tuple(compared(folder, path, content) for path, content in _contents(folder, forge))


def _contents(folder: Path, forge: Forge) -> Iterator[tuple[str, str]]:
    yield f"{HOOKS}/pre-push", _hook()
    if forge == "gitlab":
        if not (folder / ".gitlab-ci.yml").exists():
            yield ".gitlab-ci.yml", _filled("gitlab/gitlab-ci.yml")
        yield ".gitlab/flow.yml", _workflow("gitlab/flow.yml", folder, "|", " " * 10 + "{0}) head={1} ;;")
        yield ".gitlab/protection.json", _json(rulesets.gitlab_protection())
        return
    yield (
        ".github/workflows/flow.yml",
        _workflow("github/flow.yml", folder, ", ", " " * 14 + "{0}) HEAD_REF={1} ;;"),
    )
    for name, ruleset in rulesets.github_rulesets().items():
        yield f".github/rulesets/{name}.json", _json(ruleset)
    yield ".github/environments.json", _json(rulesets.github_environments())


def _workflow(template: str, folder: Path, between: str, case: str) -> str:
    lanes = [row for row in LANES if row is not DEV]
    return _filled(
        template,
        LANES=between.join(row.pattern for row in lanes),
        CAME_FROM="\n".join(case.format(row.pattern, row.starts_from[0]) for row in lanes),
        QUEUE=QUEUE,
        GENPULSE=_genpulse(folder),
    )


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
