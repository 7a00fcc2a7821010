"""What a person does after `install` and `uninstall`: the way of the files into dev, and what is on the server."""

import shlex
from collections.abc import Sequence

from genpulse.branching.errors import FlowError
from genpulse.branching.files.contents import Forge
from genpulse.branching.files.planned import PlannedFile
from genpulse.branching.git.repository import Repository
from genpulse.branching.rules.names import kind_of
from genpulse.branching.rules.policy import Policy
from genpulse.branching.rules.table import DEV, TOPICS

_ADOPT = "feature/adopt-the-flow"
_RULES = {
    "github": "Once it is there, import the rules: docs/how-to/guard-the-branches.md of GenPulse, GitHub.",
    "gitlab": "Once it is there, set the rules: docs/how-to/guard-the-branches.md of GenPulse, GitLab.",
}


def next_steps(
    repository: Repository, policy: Policy, planned: Sequence[PlannedFile], forge: Forge, *, written: bool
) -> str:
    """Commands that bring what was written into dev, which is guarded by the hook from here on."""
    changed = [shlex.quote(file.path) for file in planned if file.diff]
    if not changed or not written:
        return ""
    commands = (
        *_branch(repository, policy),
        f"git add {' '.join(changed)}",
        "git commit -m 'Guard the branches with genpulse flow'",
        "genpulse flow finish",
    )
    return "\n".join(["", "Next, so that it counts:", *(f"  {command}" for command in commands), _RULES[forge]])


def left_on_the_forge(planned: Sequence[PlannedFile]) -> str:
    """List what stays on the forge when the files are removed."""
    lines = []
    if any(file.diff for file in planned):
        lines = ["", "Next: commit it as any other change."]
    lines += [
        "Rules that were imported stay on the server. GitHub: gh api repos/{owner}/{repo}/rulesets lists them,",
        "gh api --method DELETE repos/{owner}/{repo}/rulesets/ID removes one; GitLab: Settings, Repository.",
    ]
    return "\n".join(lines)


def _branch(repository: Repository, policy: Policy) -> tuple[str, ...]:
    """The step onto a topic branch, unless one is out."""
    try:
        current = repository.refs.current
        if current and kind_of(current, policy) in TOPICS:
            return ()
        return (f"git switch -c {_ADOPT} --no-track {repository.remote}/{policy.row(DEV).pattern}",)
    except FlowError:
        return (f"git switch -c {_ADOPT}",)
