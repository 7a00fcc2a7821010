"""The commits that once were the tip of a lane.

A lane's own line goes from its tip along each commit's first parent. Its merges keep that line; a fast-forward to
the lane before, which has merged the lane, gives it another one, and what was its tip is then somewhere in its
history. Such a former tip is known by what it is itself, which no later push changes: a promotion, that is a merge
of the lane before that changes nothing. And it says what its lane's line was until then.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

from genpulse.branching.git.commits import own_line, parents_on_line
from genpulse.branching.git.process import Git
from genpulse.branching.rules.table import DEV, LANES, MAIN, TEST, Branch


class _Node(NamedTuple):
    tree: str
    parents: tuple[str, ...]


class Lines:
    """The lines of the lanes with these tips, by what is in the repository. It is read when it is asked for.

    `marked` are commits that somebody says were a lane's tip, such as those with its version tags.
    """

    def __init__(self, git: Git, tips: Mapping[Branch, str], marked: Mapping[Branch, frozenset[str]]) -> None:
        self._git = git
        self._tips = dict(tips)
        self._marked = dict(marked)
        self._own: dict[str, frozenset[str]] = {}
        self._left: dict[Branch, tuple[str, ...]] = {}
        self._brought: dict[Branch, frozenset[str]] = {}
        self._histories: dict[str, frozenset[str]] = {}

    def at(self, row: Branch, tip: str) -> "Lines":
        """These lines with another tip for one lane."""
        return Lines(self._git, {**self._tips, row: tip}, self._marked)

    def tip(self, row: Branch) -> str:
        """The lane's tip."""
        return self._tips[row]

    def own(self, row: Branch) -> frozenset[str]:
        """The ids on the lane's own line."""
        tip = self._tips[row]
        if tip not in self._own:
            is_read = "_nodes" in self.__dict__
            self._own[tip] = self._first_parents(tip) if is_read else own_line(self._git, tip)
        return self._own[tip]

    def former(self, row: Branch) -> frozenset[str]:
        """Commits that were the lane's tip by what is marked, and for test by what main has merged."""
        merged = self._merged(MAIN) if row == TEST else frozenset()
        return self._marked.get(row, frozenset()) | merged

    def left(self, row: Branch) -> tuple[str, ...]:
        """The former tips at the ends of lines that the lane has left, the latest first; none as a rule."""
        if row not in self._left:
            former = self.former(row)
            tips = {tip for tip in former - self.own(row) if self._is_promotion(row, tip)} if former else set()
            self._left[row] = tuple(self._ends(tips))
        return self._left[row]

    def carried(self, row: Branch, commit: str) -> bool:
        """Whether the commit was the lane's tip once: it is on the line that the lane had at the time."""
        for tip in reversed(self.left(row)):
            if commit in self.history(tip):
                return commit in self._first_parents(tip)
        return commit in self.own(row) or self._is_promotion(row, commit)

    def brought(self, merge: str, commit: str) -> bool:
        """Whether this merge brought a promotion to test: on the line of what it merged, and not of dev's line."""
        node, promoted = self._nodes.get(merge), self._nodes.get(commit)
        if node is None or promoted is None or len(promoted.parents) != 2:
            return False
        if self._nodes[promoted.parents[1]].tree != promoted.tree or commit in self.own(DEV) - self.own(TEST):
            return False
        return any(commit in self._first_parents(tip) for tip in (merge, *node.parents[1:]))

    def history(self, tip: str) -> frozenset[str]:
        """The ids of all that a commit has in its history, itself among them, as far as some lane has it."""
        if tip not in self._histories:
            self._histories[tip] = frozenset(self._walk(tip))
        return self._histories[tip]

    def merge_of(self, row: Branch, commit: str) -> str | None:
        """The merge on the lane's own line that brought this very commit."""
        return next((one for one in self.own(row) if commit in self._nodes[one].parents[1:]), None)

    def newest(self, commits: Iterable[str]) -> str | None:
        """The newest of these commits: one that is in no other's history."""
        return next(self._ordered(commits), None)

    def _is_promotion(self, row: Branch, commit: str) -> bool:
        """Whether it is a merge of the lane before that changes nothing, and is in no earlier lane's own line."""
        before = LANES[: LANES.index(row)]
        if not before or any(commit in self.own(lane) for lane in before):
            return False
        node = self._nodes.get(commit)
        if node is None or len(node.parents) != 2 or not self._is_behind(row, commit):
            return False
        source = node.parents[1]
        return self._nodes[source].tree == node.tree and self._comes_from(before[-1], source)

    def _comes_from(self, lane: Branch, commit: str) -> bool:
        """Whether a promotion may bring it: a former tip of the lane, or of dev a branch that it has merged."""
        if lane != DEV or commit in self.own(DEV):
            return self.carried(lane, commit)
        if commit not in self._merged(DEV) or commit in self.own(TEST):
            return False
        node = self._nodes[commit]
        came_back = len(node.parents) == 2 and node.parents[1] in self.own(DEV)
        return not came_back or self._nodes[node.parents[1]].tree != node.tree

    def _is_behind(self, row: Branch, commit: str) -> bool:
        return any(commit in self.history(self._tips[lane]) for lane in LANES[LANES.index(row) :])

    def _ends(self, tips: Iterable[str]) -> Iterator[str]:
        seen: set[str] = set()
        for tip in self._ordered(tips):
            if tip not in seen:
                seen.update(self._first_parents(tip))
                yield tip

    def _ordered(self, commits: Iterable[str]) -> Iterator[str]:
        ids = set(commits)
        return (commit for commit in self._nodes if commit in ids) if ids else iter(())

    def _first_parents(self, tip: str) -> frozenset[str]:
        line, commit = set[str](), tip
        while commit:
            line.add(commit)
            commit = next(iter(self._nodes[commit].parents), "")
        return frozenset(line)

    def _walk(self, tip: str) -> Iterator[str]:
        seen = {tip} if tip in self._nodes else set()
        waiting = list(seen)
        while waiting:
            commit = waiting.pop()
            yield commit
            fresh = {parent for parent in self._nodes[commit].parents if parent not in seen}
            seen.update(fresh)
            waiting.extend(fresh)

    def _merged(self, row: Branch) -> frozenset[str]:
        """The commits that were merged into the lane's own line."""
        if row not in self._brought:
            merges = parents_on_line(self._git, self._tips[row]).values()
            self._brought[row] = frozenset(parent for parents in merges for parent in parents[1:])
        return self._brought[row]

    @cached_property
    def _nodes(self) -> dict[str, _Node]:
        """All commits of the lanes, children before parents."""
        options = ("--topo-order", "--format=%H %T %P", "--no-color")
        output = self._git.lasting("log", *options, *self._tips.values(), "--")
        lines = (line.split() for line in output.out.splitlines())
        return {line[0]: _Node(line[1], tuple(line[2:])) for line in lines}
