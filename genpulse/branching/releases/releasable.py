"""The version that a commit may be released as."""

from collections.abc import Iterable
from dataclasses import dataclass

from genpulse.branching.errors import ReleaseRefused
from genpulse.branching.rules.versions import Version, check_order, version_named


@dataclass(frozen=True, slots=True)
class VersionTag:
    """A version's tag: the commit that it marks, and that commit's tree."""

    version: Version
    commit: str
    tree: str


def may_release(tree: str, tags: Iterable[VersionTag], version: str | None = None) -> Version:
    """The version that a commit with this tree may be released as: that of a candidate with an identical tree.

    Without `version` it is the highest such candidate's. Raises `NameRefused` for text that is no version, and
    `ReleaseRefused` for a candidate's name, a version that exists or goes back, and a tree no candidate has.
    """
    all_tags = tuple(tags)
    target = _release_named(version)
    finals = [tag.version for tag in all_tags if tag.version.candidate is None]
    if target:
        check_order(target, finals)
    candidates = [tag for tag in all_tags if tag.version.candidate and target in {None, tag.version.final}]
    fitting = [tag.version.final for tag in candidates if tag.tree == tree]
    if not fitting:
        raise _unverified(tree, max(candidates, key=lambda tag: tag.version, default=None), target)
    release = max(fitting)
    check_order(release, finals)
    return release


def _release_named(text: str | None) -> Version | None:
    if text is None:
        return None
    version = version_named(text)
    if version.candidate is not None:
        raise ReleaseRefused(
            "version_is_candidate",
            "Final tags are called vX.Y.Z.",
            f"{version.tag} is a release candidate.",
            f"genpulse flow release {version.final}",
        )
    return version


def _unverified(tree: str, nearest: VersionTag | None, target: Version | None) -> ReleaseRefused:
    rule = "main is released only with the tree that a release candidate was tested with."
    mend = "genpulse flow promote main"
    if nearest is None:
        which = f"v{target}" if target else "any version"
        option = f" --version {target}" if target else ""
        finding = f"there is no release candidate of {which}."
        return ReleaseRefused("candidate_missing", rule, finding, f"genpulse flow rc{option}", mend)
    finding = (
        f"main (tree {tree[:9]}) is not the tree verified by {nearest.version.tag} (tree {nearest.tree[:9]})."
    )
    return ReleaseRefused("tree_untested", rule, finding, mend, note="Promote test first.")
