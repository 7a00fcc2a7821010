"""Ranges of commits."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from genpulse.branching.git.process import Git

_FORMAT = "%H%x00%T%x00%P%x00%ct%x00%s"


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit; `when` is in seconds since 1970."""

    id: str
    tree: str
    parents: tuple[str, ...]
    when: int
    subject: str

    @property
    def is_merge(self) -> bool:
        """Whether it joins two lines."""
        return len(self.parents) > 1

    def __str__(self) -> str:
        return f"{self.id[:9]} {self.subject}"


def commits_between(git: Git, tips: Iterable[str], without: Iterable[str] = ()) -> tuple[Commit, ...]:
    """What is reachable from `tips` and not from `without` (full ids), newest first."""
    return _commits(git, "--topo-order", tips, without)


def commits_named(git: Git, ids: Iterable[str]) -> tuple[Commit, ...]:
    """These commits alone."""
    return _commits(git, "--no-walk=unsorted", ids, ())


def own_line(git: Git, tip: str) -> frozenset[str]:
    """The ids on a branch's own line: from its tip along each commit's first parent."""
    return frozenset(parents_on_line(git, tip))


def parents_on_line(git: Git, tip: str) -> dict[str, tuple[str, ...]]:
    """The same with the ids of each one's parents, newest first."""
    output = git.lasting("rev-list", "--first-parent", "--parents", tip, "--")
    lines = (line.split() for line in output.out.splitlines())
    return {line[0]: tuple(line[1:]) for line in lines}


def is_ancestor(git: Git, commit: str, tip: str) -> bool:
    """Whether `tip` has `commit` in its history."""
    return git.lasting("merge-base", "--is-ancestor", commit, tip, ok=(0, 1)).code == 0


def reachable(tip: str, known: Mapping[str, Commit]) -> list[Commit]:
    """What is reachable from `tip` along commits that are known."""
    history: dict[str, Commit] = {}
    waiting = [tip]
    while waiting:
        commit = known.get(waiting.pop())
        if commit is not None and commit.id not in history:
            history[commit.id] = commit
            waiting.extend(commit.parents)
    return list(history.values())


def counted(number: int, thing: str) -> str:
    """`1 commit`, `2 commits`."""
    return f"{number} {thing}{'' if number == 1 else 's'}"


def listed(commits: Sequence[Commit], most: int = 5) -> str:
    """Some of them, a line each, and how many more there are."""
    lines = [str(commit) for commit in commits[:most]]
    return "\n".join([*lines, f"and {len(commits) - most} more"] if len(commits) > most else lines)


def printable(text: str) -> str:
    """Without what a terminal would obey instead of showing it."""
    return text if text.isprintable() else "".join(sign if sign.isprintable() else "\ufffd" for sign in text)


def _commits(git: Git, how: str, tips: Iterable[str], without: Iterable[str]) -> tuple[Commit, ...]:
    tip_ids = list(dict.fromkeys(tips))
    if not tip_ids:
        return ()
    stdin = "".join([*(f"{tip}\n" for tip in tip_ids), *(f"^{tip}\n" for tip in dict.fromkeys(without))])
    options = (f"--format={_FORMAT}", "--encoding=UTF-8", "--no-color", "--stdin")
    output = git.lasting("log", "-z", how, *options, stdin=stdin)
    fields = output.out.removesuffix("\0").split("\0") if output.out else []
    return tuple(
        Commit(
            fields[i], fields[i + 1], tuple(fields[i + 2].split()), int(fields[i + 3]), printable(fields[i + 4])
        )
        for i in range(0, len(fields) - 4, 5)
    )
