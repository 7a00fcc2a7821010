"""A version's tag: the same here and on the remote, and a tag that proves something."""

from genpulse.branching.errors import ReleaseRefused
from genpulse.branching.git.refs import Ref
from genpulse.branching.git.remote_refs import RemoteTag
from genpulse.branching.git.repository import Repository
from genpulse.branching.rules.versions import Version

_SHARED = "What counts is on the remote, the same for everybody."
_PLANTED = "actions/checkout before v6.0.2 plants such a tag over the true one."


def tag_here(repository: Repository, version: Version) -> Ref:
    """The tag as it is here, which is what the remote has of this name, if it has any.

    Raises `ReleaseRefused` when there is none, or when the remote has another one, and `GitFailed`.
    """
    tag, published = version.tag, repository.published
    here = repository.refs.tags.get(tag)
    there = published.tags.get(tag) if published else None
    if here is None:
        raise _missing(repository, tag, on_remote=there is not None)
    if there is not None and there.object != here.object:
        raise _moved(repository, here, there)
    return here


def demand_published(repository: Repository, here: Ref) -> None:
    """Raises `ReleaseRefused` when the remote does not have the tag; never offline."""
    published = repository.published
    if published is not None and here.name not in published.tags:
        raise _unpublished(repository, here)


def fault_of(ref: Ref) -> str:
    """Why a tag proves nothing, whatever it marks; empty for an annotated one of its own name on a commit."""
    if not ref.annotated:
        return "a light tag, without author and date"
    if ref.says != ref.name:
        return f"the tag {ref.says} under another name"
    return "" if ref.commit else "a tag on something else than a commit"


def planted_note(repository: Repository, ref: Ref) -> str:
    """A note about a light tag, for when the remote cannot be asked for its annotated one."""
    return f"{_PLANTED} Without --offline it is put right." if repository.offline and not ref.annotated else ""


def _missing(repository: Repository, tag: str, *, on_remote: bool) -> ReleaseRefused:
    remote = repository.remote
    fetch = f"git fetch {remote} refs/tags/{tag}:refs/tags/{tag}"
    if on_remote:
        return ReleaseRefused("tag_missing", _SHARED, f"{tag} is on {remote} and not here.", fetch)
    if repository.published is not None:
        return ReleaseRefused("tag_missing", _SHARED, f"there is no tag {tag}.", "genpulse flow release --list")
    finding = f"there is no tag {tag} here" + ("." if repository.versions else ", and no version tag at all.")
    note = "" if repository.versions else "The clone was made without tags."
    return ReleaseRefused("tag_missing", _SHARED, finding, fetch, note=note)


def _unpublished(repository: Repository, here: Ref) -> ReleaseRefused:
    remote, tag = repository.remote, here.name
    finding = f"{tag} marks {_marked(here)} here, and {remote} does not have it."
    backup = f"unpublished-{tag}-{here.object[:9]}"
    note = (
        f"It was never pushed, or it was deleted on {remote}. The first publishes what is here; the second is for "
        f"a tag that is wrong, and calls it {backup} here."
    )
    renamed = f"git tag {backup} refs/tags/{tag} && git tag -d {tag}"
    push = f"git push {remote} refs/tags/{tag}"
    return ReleaseRefused("tag_not_published", _SHARED, finding, push, renamed, note=note)


def _moved(repository: Repository, here: Ref, there: RemoteTag) -> ReleaseRefused:
    remote, tag = repository.remote, here.name
    finding = f"{tag} is {_marked(here)} here, and {remote} has another one, {_id(there.object, there.target)}."
    backup = f"moved-{tag}-{there.object[:9]}"
    note = (
        f"A published tag never moves. Ask who moved it: the command puts {tag} on {remote} back from "
        f"{there.object[:9]} to {here.object[:9]}, and keeps the other one as {backup}."
    )
    lease = f"--force-with-lease=refs/tags/{tag}:{there.object}"
    fetch = f"git fetch --no-tags {remote} refs/tags/{tag}:refs/tags/{backup}"
    moves = f"refs/tags/{backup} {here.object}:refs/tags/{tag}"
    back = f"{fetch} && git push --atomic {lease} {remote} {moves}"
    return ReleaseRefused("tag_moved", _SHARED, finding, back, note=note)


def _marked(ref: Ref) -> str:
    return _id(ref.object, ref.commit)


def _id(object_: str, target: str) -> str:
    return target[:9] if object_ == target else f"{target[:9]} (tag {object_[:9]})"
