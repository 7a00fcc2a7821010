"""The files that `genpulse flow install` writes, and `uninstall` takes back."""

import os
from collections.abc import Mapping
from pathlib import Path

from genpulse.branching.files.contents import Forge, contents_by_path, decided_policy
from genpulse.branching.files.hooks import HOOKS, chained, hook_path, hooks_step
from genpulse.branching.files.planned import PlannedFile, compared
from genpulse.branching.files.removal import plan_removal
from genpulse.branching.files.writing import remove, write
from genpulse.branching.rules.policy import DEFAULT, LaneNames, Policy
from genpulse.branching.rules.versions import Version

__all__ = [
    "HOOKS",
    "Forge",
    "PlannedFile",
    "decided_policy",
    "hooks_step",
    "plan",
    "plan_removal",
    "remove",
    "write",
]


def plan(
    folder: Path,
    forge: Forge,
    environment: Mapping[str, str] = os.environ,
    *,
    policy: Policy = DEFAULT,
    baseline: Version | None = None,
    names: LaneNames | None = None,
) -> tuple[PlannedFile, ...]:
    """Plan every file that belongs into the repository, without writing any.

    `policy` is what the repository decided until here; `baseline` and `names` are decisions to be written. A file
    of somebody else stays, and ours lies beside it. Raises `FileInTheWay`, `PolicyBroken`, `GitFailed`.
    """
    policy, decided = decided_policy(folder, policy, baseline, names)
    hook = hook_path(folder)
    files = [
        compared(folder, path, content, program=path == hook)
        for path, content in contents_by_path(folder, forge, policy, decided)
    ]
    hooks = chained(folder, environment) if (folder / ".git").exists() else ()
    return (*files, *(compared(folder, path, content, program=True) for path, content in hooks))
