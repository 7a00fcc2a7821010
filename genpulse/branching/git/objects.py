"""Types of git objects."""

from dataclasses import dataclass

from genpulse.branching.errors import GitFailed
from genpulse.branching.git.process import Git


@dataclass(frozen=True, slots=True)
class Object:
    """A git object: its full id, its kind (`commit`, `tag`, `tree`, `blob`), and its content."""

    id: str
    kind: str
    content: str


def object_named(git: Git, name: str) -> Object:
    """Read an object by a ref's full name or an id, in one call of git. Raises `GitFailed` when there is none."""
    head, _, content = git("cat-file", "--batch", stdin=f"{name}\n").out.partition("\n")
    fields = head.split(" ")
    if len(fields) != 3:
        note = "Look at git's settings: git var -l"
        raise GitFailed("git_failed", "Git has to do its part.", f"there is no {name} here: {head}", note=note)
    return Object(fields[0], fields[1], content)
