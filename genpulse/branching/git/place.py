"""The location of a repository."""

from dataclasses import dataclass
from pathlib import Path

from genpulse.branching.git.process import Git

_ASKED = ("--is-shallow-repository", "--git-common-dir", "--git-path", "FETCH_HEAD")


@dataclass(frozen=True, slots=True)
class Place:
    """Whether a part of the repository's history is missing, and where its files are.

    `common` is the folder that all its work trees share.
    """

    is_shallow: bool
    common: Path
    fetch_head: Path


def place_of(git: Git) -> Place:
    """Raises `GitFailed` where there is no repository."""
    shallow, common, fetch_head = git.lasting("rev-parse", *_ASKED).line.split("\n")
    return Place(shallow == "true", git.folder / common, git.folder / fetch_head)
