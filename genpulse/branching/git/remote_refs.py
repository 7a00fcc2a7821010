"""The refs of the remote at this moment."""

from collections.abc import Mapping
from dataclasses import dataclass

from genpulse.branching.git.process import Git
from genpulse.branching.git.refs import Ref
from genpulse.branching.rules.versions import version_of, withdrawn_by

_HEADS = "refs/heads/"
_TAGS = "refs/tags/"
_PEELED = "^{}"


@dataclass(frozen=True, slots=True)
class RemoteTag:
    """A tag on the remote: its own id, and the id of what it marks; the two are one for a light tag."""

    object: str
    target: str


@dataclass(frozen=True, slots=True)
class Published:
    """Branches of the remote by name, with the ids of their tips, and its tags."""

    heads: Mapping[str, str]
    tags: Mapping[str, RemoteTag]


def read_published(git: Git, remote: str) -> Published:
    """Read branches and tags of the remote in one call. Raises `GitFailed`."""
    output = git.remotely("ls-remote", "--quiet", "--heads", "--tags", "--", remote)
    ids = dict(line.split("\t")[::-1] for line in output.out.split("\n") if "\t" in line)
    tags = {name: id_ for name, id_ in ids.items() if name.startswith(_TAGS) and not name.endswith(_PEELED)}
    return Published(
        {name.removeprefix(_HEADS): id_ for name, id_ in ids.items() if name.startswith(_HEADS)},
        {name.removeprefix(_TAGS): RemoteTag(id_, ids.get(name + _PEELED, id_)) for name, id_ in tags.items()},
    )


def lacking(published: Published, here: Mapping[str, Ref]) -> list[str]:
    """Refspecs for tags of versions and withdrawals that are not `here`, and for those that a checkout planted.

    It planted a light tag where the remote's annotated one marks the same commit; nothing else is replaced.
    """
    return [
        f"+{_TAGS}{name}:{_TAGS}{name}"
        for name, mark in published.tags.items()
        if (version_of(name) or withdrawn_by(name)) and (name not in here or _is_planted(here[name], mark))
    ]


def _is_planted(here: Ref, mark: RemoteTag) -> bool:
    return not here.annotated and here.object == mark.target != mark.object
