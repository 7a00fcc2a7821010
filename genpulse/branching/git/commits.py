"""Ranges of commits."""

from collections.abc import Iterable, Iterator, Mapping
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
    """The commits reachable from `tips` and not from `without` (full ids), newest first."""
    return _commits(git, "--topo-order", tips, without)


def commits_named(git: Git, ids: Iterable[str]) -> tuple[Commit, ...]:
    """The commits with these ids."""
    return _commits(git, "--no-walk=unsorted", ids, ())


def own_line(git: Git, tip: str) -> frozenset[str]:
    """The ids on a branch's own line: from its tip along each commit's first parent."""
    return frozenset(parents_on_line(git, tip))


def parents_on_line(git: Git, tip: str) -> dict[str, tuple[str, ...]]:
    """The ids on a branch's own line with the ids of their parents, newest first."""
    output = git.lasting("rev-list", "--first-parent", "--parents", tip, "--")
    lines = (line.split() for line in output.out.splitlines())
    return {line[0]: tuple(line[1:]) for line in lines}


def is_ancestor(git: Git, commit: str, tip: str) -> bool:
    """Whether `tip` has `commit` in its history."""
    return git.lasting("merge-base", "--is-ancestor", commit, tip, ok=(0, 1)).code == 0


def reachable(tip: str, by_id: Mapping[str, Commit]) -> list[Commit]:
    """The commits reachable from `tip` through those in `by_id`."""
    history: dict[str, Commit] = {}
    waiting = [tip]
    while waiting:
        commit = by_id.get(waiting.pop())
        if commit is not None and commit.id not in history:
            history[commit.id] = commit
            waiting.extend(commit.parents)
    return list(history.values())


def first_parents(tip: str, by_id: Mapping[str, Commit]) -> Iterator[Commit]:
    """The commits in `by_id` from `tip` along each one's first parent."""
    commit = by_id.get(tip)
    while commit is not None:
        yield commit
        commit = by_id.get(commit.parents[0]) if commit.parents else None


def printable(text: str) -> str:
    """Replace characters that a terminal would interpret instead of showing."""
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
