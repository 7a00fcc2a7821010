"""Names on the remote that the model has no place for: branches, tags and folders, and how they are moved.

Nothing here removes anything: what somebody published under a name that is not ours may be what others live on.
"""

import shlex

from genpulse.branching.errors import Refusal
from genpulse.branching.git.commits import is_ancestor
from genpulse.branching.git.refs import Ref
from genpulse.branching.git.repository import Repository
from genpulse.branching.listing import counted, joined
from genpulse.branching.rules.names import is_reserved_for_branches
from genpulse.branching.rules.slugs import slug_fault, slug_of
from genpulse.branching.rules.table import DEV, FEATURE, TEST
from genpulse.branching.rules.versions import is_near_miss
from genpulse.branching.topics.open_topics import strangers

_LISTED = 10

_PUBLISHED = ("gh-pages", "pages", "release/", "releases/", "support/")
"""Branches begin so that programs or customers read; another name would take it away from them."""


def stranger_refusals(repository: Repository) -> tuple[Refusal, ...]:
    """Branches of the remote that are neither lanes nor topics nor a program's."""
    return tuple(_stranger(repository, repository.refs.remote[name]) for name in strangers(repository))


def tag_refusals(repository: Repository) -> tuple[Refusal, ...]:
    """Tags that would be taken for branches."""
    refs = repository.refs
    branches = {*refs.heads, *refs.remote}
    tag_names = dict.fromkeys((*refs.tags, *repository.tag_names))
    names = [name for name in tag_names if is_reserved_for_branches(name, repository.policy) or name in branches]
    rule = "A tag is not named like a branch: git would take one for the other."
    return tuple(
        Refusal(
            "tag_named_like_branch",
            rule,
            f"there is a tag {name}.",
            *renamed_tag(name, repository.remote, here=name in refs.tags),
        )
        for name in names
    )


def near_miss_refusals(repository: Repository) -> tuple[Refusal, ...]:
    """One refusal of all tags that look like versions and are none; empty when there is no such tag."""
    names = sorted(name for name in repository.tag_names if is_near_miss(name))
    if not names:
        return ()
    return (
        Refusal(
            "version_malformed",
            "A release is called vX.Y.Z, its candidates vX.Y.Z-rc.1, vX.Y.Z-rc.2 and so on.",
            f"{counted(len(names), 'tag')} that no command takes for a version: {joined(names, _LISTED)}.",
            note="Nothing has to be done, unless one of them was meant to be a version.",
        ),
    )


def renamed_tag(name: str, remote: str, *, here: bool = True) -> tuple[tuple[str, ...], str]:
    """Commands that give a tag another name, here and then on the remote, and what they do.

    A tag that is not `here` comes under its new name.
    """
    new = f"tag-{name.replace('/', '-')}"
    old, other = shlex.quote(name), shlex.quote(new)
    renamed = f"git tag {other} refs/tags/{old} && git tag -d {old}"
    there = f"git push --atomic {remote} refs/tags/{old}:refs/tags/{other} :refs/tags/{old}"
    if not here:
        brought = f"git fetch --no-tags {remote} refs/tags/{old}:refs/tags/{other}"
        moved = f"git push --atomic {remote} refs/tags/{other} :refs/tags/{old}"
        return (f"{brought} && {moved}",), f"It calls the tag {new} on {remote}."
    note = (
        f"The first calls the tag {new} on {remote} and here. The second is for one that {remote} does not have."
    )
    return (f"{there} && {renamed}", renamed), note


def path_refusals(repository: Repository) -> tuple[Refusal, ...]:
    """Lanes whose name is also a file or folder in dev's tree."""
    names = repository.paths(repository.lane(DEV).commit, [row.pattern for row in repository.lanes])
    rule = "A branch and a file or folder do not share a name: `git diff {0}` would be ambiguous."
    return tuple(
        Refusal(
            "path_named_like_branch",
            rule.format(name),
            f"{name} is in the tree.",
            (f"git mv {name} {_other(name)}",),
        )
        for name in names
    )


def _stranger(repository: Repository, ref: Ref) -> Refusal:
    remote, name = repository.remote, ref.name
    mend, note = _topic_name(repository, ref)
    leave = f'To leave it alone, bring this line into .flow.toml on dev by a topic: ignore = ["{name}"]'
    return Refusal(
        "stranger_branch",
        "Beside the lanes there are feature/* and fix/* branches only.",
        f"{remote} has a branch {name!r} at {ref.commit[:9]}.",
        mend,
        f"{leave}\n{note}".strip(),
    )


def _topic_name(repository: Repository, ref: Ref) -> tuple[tuple[str, ...], str]:
    """How it becomes a topic, where it can be one."""
    dev = repository.lane(DEV).commit
    slug = slug_of(ref.name)
    new = f"{FEATURE.prefix}{slug}"
    topic = repository.refs.remote.get(new)
    for name, commit in ((repository.row(DEV).pattern, dev), (new, topic.commit if topic else "")):
        if commit and is_ancestor(repository.git, ref.commit, commit):
            return (), f"{name} has every commit of it: the name may go where nobody needs it."
    related = repository.git("merge-base", ref.commit, dev, ok=(0, 1)).line
    if ref.name.startswith(_PUBLISHED) or slug_fault(slug) or not related or topic:
        return (), ""
    command = f"git push {repository.remote} {ref.commit}:refs/heads/{new}"
    return (command,), f"Where somebody works on it: the command begins {new} at it, with every commit."


def _other(name: str) -> str:
    return "tests" if name == TEST.key else f"{name}-files"
