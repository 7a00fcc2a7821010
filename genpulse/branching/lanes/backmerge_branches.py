"""The one way back: a lane's commits, brought into dev by a branch that does nothing else.

A lane that carries what dev does not have can lose it, or dev can get it. Nobody may push to a lane on a forge, so
dev gets it like everything else, by a topic branch: `fix/backmerge-<id>` is dev with that commit merged in.
"""

import re
from collections.abc import Mapping, Sequence

from genpulse.branching.git.commits import Commit, reachable

_NAME = re.compile(r"fix/backmerge-([0-9a-f]{9,64})")


def name_of(commit: str) -> str:
    """The name of the branch that brings this commit back."""
    return f"fix/backmerge-{commit[:9]}"


def is_back_merge(name: str) -> bool:
    """Whether a branch says by its name that it brings a lane back."""
    return _NAME.fullmatch(name) is not None


def brought_back(name: str, ahead: Sequence[Commit], lanes: Mapping[str, set[str]]) -> bool:
    """Whether a branch of this name brings a commit of a lane back into dev, and nothing else.

    `ahead` are its commits that dev does not have, and `lanes` the ids of those that test and main have. It has
    one merge of the commit that its name says, and may have merged dev since.
    """
    match = _NAME.fullmatch(name)
    by_id = {commit.id: commit for commit in ahead}
    lane = next((one for one in by_id if match and one.startswith(match[1])), None)
    if lane is None or not any(lane in ids for ids in lanes.values()):
        return False
    of_lane = {commit.id for commit in reachable(lane, by_id)}
    own = [commit for commit in ahead if commit.id not in of_lane]
    return sum(lane in commit.parents for commit in own) == 1 and all(_joins(one, lane, by_id) for one in own)


def _joins(commit: Commit, lane: str, by_id: Mapping[str, Commit]) -> bool:
    """A merge with the lane's commit, or with one that dev has."""
    return commit.is_merge and any(parent == lane or parent not in by_id for parent in commit.parents[1:])
