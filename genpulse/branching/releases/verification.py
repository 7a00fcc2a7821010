"""Verification of release tags."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from genpulse.branching.errors import ReleaseRefused
from genpulse.branching.git.refs import Ref
from genpulse.branching.git.repository import Repository
from genpulse.branching.git.signatures import demand_signature
from genpulse.branching.git.tags import demand_published, fault_of, planted_note, tag_here
from genpulse.branching.preconditions import demand_history
from genpulse.branching.releases.candidate_check import Candidates
from genpulse.branching.rules.table import MAIN, TEST
from genpulse.branching.rules.versions import Version, version_named, version_of

_WITNESS = re.compile(r"^Verified as (v\S+)\.$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class VerifiedRelease:
    """A release that holds: its tag's name is what is deployed, `candidate` is what it was tested as.

    `candidate` is None for a release from before the flow was adopted. `when` is in seconds since 1970; `signed`
    says whether its signature was looked at and is good.
    """

    version: Version
    commit: str
    tree: str
    candidate: Version | None
    when: int
    signed: bool


class Verifier:
    """Verifies tags. `signed` demands good signatures where the team's settings do not.

    Raises `RepositoryUnfit` in a shallow clone.
    """

    def __init__(self, repository: Repository, *, signed: bool = False) -> None:
        demand_history(repository)
        self._repository = repository
        self._signed = signed

    def verify(self, name: str | None = None) -> VerifiedRelease:
        """The release of this name; the last one without a name. Raises `ReleaseRefused`, `NameRefused`."""
        version = version_named(name.removeprefix("refs/tags/")) if name else self._last()
        if version.candidate is not None:
            finding = f"{version.tag} is a release candidate; final tags are vX.Y.Z."
            raise ReleaseRefused(
                "version_is_candidate", self._rule, finding, f"genpulse flow verify {version.final.tag}"
            )
        return self._verified(version, tag_here(self._repository, version))

    def releases(self) -> tuple[VerifiedRelease, ...]:
        """All verified releases, newest version first. Raises `RepositoryUnfit`, `GitFailed`."""
        finals = (version for version in self._repository.versions if version.candidate is None)
        return tuple(release for version in finals if (release := self._unless_refused(version)))

    def candidates(self, version: Version, tree: str) -> tuple[Version, ...]:
        """The candidates of a release that have this tree and are proper, newest first."""
        return self._candidates.of(version, tree)

    def is_proper_candidate(self, version: Version) -> bool:
        """Whether this is a candidate that is annotated, published and was tagged on test."""
        return self._candidates.is_proper(version)

    def demand_candidate(self, version: Version) -> Ref:
        """The candidate's tag. Raises `ReleaseRefused` when it is not a proper one."""
        return self._candidates.demand(version)

    @property
    def _rule(self) -> str:
        test, main = self._repository.row(TEST).pattern, self._repository.row(MAIN).pattern
        return f"A verified release is an annotated tag on {main} with the tree of a candidate on {test}."

    @cached_property
    def _candidates(self) -> Candidates:
        return Candidates(self._repository)

    def _last(self) -> Version:
        for version in self._repository.known_versions:
            if version.candidate is None:
                return version
        raise ReleaseRefused("release_missing", self._rule, "there is no release yet.", "genpulse flow status")

    def _verified(self, version: Version, ref: Ref) -> VerifiedRelease:
        candidate = None if self._is_from_before(version, ref) else self._tested_as(version, ref)
        demand_published(self._repository, ref)
        signed = self._signed or self._repository.policy.demands_signature(version)
        if signed:
            demand_signature(self._repository, ref, version)
        return VerifiedRelease(version, ref.commit, ref.tree, candidate, ref.when, signed)

    def _is_from_before(self, version: Version, ref: Ref) -> bool:
        """Whether it is older than the flow here: the baseline is a release of main that has it in its history."""
        policy, lines = self._repository.policy, self._repository.lines
        first = self._repository.versions.get(policy.baseline) if policy.baseline else None
        if first is None or not policy.is_from_before(version):
            return False
        return {first.commit, ref.commit} <= lines.history(lines.tip(MAIN)) and ref.commit in lines.history(
            first.commit
        )

    def _tested_as(self, version: Version, ref: Ref) -> Version:
        """The candidate that a release was tested as: by the lines of main and test, or by what its tag says.

        `release` writes the candidate into the tag when both are where they belong, so that the tag proves it
        whatever is done to the lanes later.
        """
        tag, mend = version.tag, "genpulse flow release --list"
        if fault := fault_of(ref):
            note = planted_note(self._repository, ref)
            raise ReleaseRefused("release_improper", self._rule, f"{tag} is {fault}.", mend, note=note)
        on_main = self._repository.lines.carried(MAIN, ref.commit)
        proper = self.candidates(version, ref.tree) if on_main else ()
        candidate = next(iter(proper), None) or next(self._witnessed(version, ref), None)
        if candidate is None and not on_main:
            says = f"{tag} marks {ref.commit[:9]}, which is not on {self._repository.row(MAIN).pattern}."
            raise ReleaseRefused("release_off_main", self._rule, says, mend)
        if candidate is None:
            test = self._repository.row(TEST).pattern
            says = f"no candidate of {tag} on {test} has its tree {ref.tree[:9]}."
            raise ReleaseRefused("release_untested", self._rule, says, mend)
        return candidate

    def _witnessed(self, version: Version, ref: Ref) -> Iterator[Version]:
        lines, versions = self._repository.lines, self._repository.versions
        there = lines.history(lines.tip(MAIN))
        for name in _WITNESS.findall(self._repository.git("cat-file", "tag", ref.object).out):
            candidate = version_of(name)
            mark = versions.get(candidate) if candidate and candidate.candidate else None
            if candidate is None or mark is None or candidate.final != version or fault_of(mark):
                continue
            if mark.tree == ref.tree and ref.commit in there and lines.brought(ref.commit, mark.commit):
                yield candidate

    def _unless_refused(self, version: Version) -> VerifiedRelease | None:
        try:
            return self._verified(version, tag_here(self._repository, version))
        except ReleaseRefused:
            return None
