"""Which tags are verified releases."""

from dataclasses import dataclass
from functools import cached_property

from genpulse.branching.commits import own_line
from genpulse.branching.conditions import demand_history
from genpulse.branching.errors import FlowError, GitFailed, ReleaseRefused
from genpulse.branching.refs import Ref
from genpulse.branching.repository import Repository
from genpulse.branching.table import MAIN, TEST
from genpulse.branching.versions import Version, version_named

_RULE = "A verified release is an annotated tag on main with the tree of a candidate on test."


@dataclass(frozen=True, slots=True)
class Verified:
    """A release that holds: its tag's name is what is deployed, `candidate` is what it was tested as.

    `when` is in seconds since 1970; `signed` says whether its signature was looked at and is good.
    """

    version: Version
    commit: str
    tree: str
    candidate: Version
    when: int
    signed: bool


class Verifier:
    """Looks at tags. `signed` demands good signatures even where git is not told to sign tags.

    Raises `RepositoryUnfit` in a shallow clone.
    """

    def __init__(self, repository: Repository, *, signed: bool = False) -> None:
        demand_history(repository)
        self._repository = repository
        self._signed = signed or repository.signs_tags

    def verify(self, name: str | None = None) -> Verified:
        """The release of this name; the last one without a name. Raises `ReleaseRefused`, `NameRefused`."""
        version = version_named(name.removeprefix("refs/tags/")) if name else self._last()
        if version.candidate is not None:
            found = f"{version.tag} is a release candidate; final tags are vX.Y.Z."
            raise ReleaseRefused("version_is_candidate", _RULE, found, f"genpulse flow verify {version.final.tag}")
        return self._verified(version, self._tag(version))

    def demand_published(self, version: Version) -> None:
        """Raises `ReleaseRefused` when the remote does not have the same tag. Asks the remote, unless offline."""
        if self._repository.offline:
            return
        full, remote = f"refs/tags/{version.tag}", self._repository.remote
        said = self._repository.git.remotely("ls-remote", "--quiet", "--", remote, full)
        there = dict(line.split("\t")[::-1] for line in said.out.split("\n") if line)
        if there.get(full) != self._tag(version).object:
            what = "has another one" if full in there else "does not have it"
            mend = f"git tag -d {version.tag} && git fetch --tags {remote}"
            rule, found = "What is released is on the remote.", f"{version.tag} is here; {remote} {what}."
            raise ReleaseRefused("tag_not_published", rule, found, mend)

    def releases(self) -> tuple[Verified, ...]:
        """All that are verified, newest version first."""
        found = []
        for version, ref in self._repository.refs.versions.items():
            if version.candidate is None and (verified := self._unless_refused(version, ref)):
                found.append(verified)
        return tuple(found)

    def candidates(self, version: Version, tree: str) -> tuple[Version, ...]:
        """The candidates of a release that have this tree and are proper, newest first."""
        refs = self._repository.refs.versions
        same = (other for other, ref in refs.items() if other.final == version.final and ref.tree == tree)
        return tuple(other for other in same if self.is_proper_candidate(other))

    def is_proper_candidate(self, version: Version) -> bool:
        """Whether this is a candidate that is annotated and was tagged on test."""
        if version.candidate is None:
            return False
        try:
            self.demand_candidate(version)
        except ReleaseRefused:
            return False
        return True

    def demand_candidate(self, version: Version) -> Ref:
        """The candidate's tag. Raises `ReleaseRefused` when it is not annotated, or not on test."""
        ref = self._tag(version)
        rule, tag = "A release candidate is an annotated tag on test.", version.tag
        mend = f"genpulse flow rc --version {version.final}"
        note = "Tag it anew."
        if not ref.annotated or ref.says != tag or not ref.commit:
            raise ReleaseRefused("candidate_improper", rule, f"{tag} is {_instead(ref)}.", mend, note=note)
        if ref.commit not in self._test:
            found = f"{tag} marks {ref.commit[:9]}, which is not on test."
            raise ReleaseRefused("candidate_improper", rule, found, mend, note=note)
        return ref

    def _last(self) -> Version:
        for version in self._repository.refs.versions:
            if version.candidate is None:
                return version
        raise ReleaseRefused("release_missing", _RULE, "there is no release yet.", "genpulse flow status")

    def _tag(self, version: Version) -> Ref:
        ref = self._repository.refs.tags.get(version.tag)
        if ref is None:
            mend = f"git fetch --tags {self._repository.remote}"
            raise ReleaseRefused("tag_missing", _RULE, f"there is no tag {version.tag}.", mend)
        return ref

    def _verified(self, version: Version, ref: Ref) -> Verified:
        tag, mend = version.tag, "genpulse flow release --list"
        if not ref.annotated or ref.says != tag or not ref.commit:
            raise ReleaseRefused("release_improper", _RULE, f"{tag} is {_instead(ref)}.", mend)
        if ref.commit not in self._main:
            found = f"{tag} marks {ref.commit[:9]}, which is not on main."
            raise ReleaseRefused("release_off_main", _RULE, found, mend)
        candidates = self.candidates(version, ref.tree)
        if not candidates:
            found = f"no candidate of {tag} on test has its tree {ref.tree[:9]}."
            raise ReleaseRefused("release_untested", _RULE, found, mend)
        if self._signed:
            self._demand_signature(ref)
        return Verified(version, ref.commit, ref.tree, candidates[0], ref.when, self._signed)

    def _unless_refused(self, version: Version, ref: Ref) -> Verified | None:
        try:
            return self._verified(version, ref)
        except FlowError:
            return None

    def _demand_signature(self, ref: Ref) -> None:
        try:
            self._repository.git("verify-tag", "--", ref.object)
        except GitFailed as error:
            rule, found = "Releases are signed here.", f"{ref.name}: {error.found}"
            note = "Look whether the signer's key is known here."
            raise ReleaseRefused("signature_bad", rule, found, f"git verify-tag {ref.name}", note=note) from error

    @cached_property
    def _main(self) -> frozenset[str]:
        return own_line(self._repository.git, self._repository.lane(MAIN).commit)

    @cached_property
    def _test(self) -> frozenset[str]:
        return own_line(self._repository.git, self._repository.lane(TEST).commit)


def _instead(ref: Ref) -> str:
    if not ref.annotated:
        return "a light tag, without author and date"
    return (
        f"the tag {ref.says} under another name"
        if ref.says != ref.name
        else "a tag on something else than a commit"
    )
