"""The one test of a candidate, which the merge check, `promote`, `release` and `verify` ask alike."""

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property

from genpulse.branching.errors import Refusal, ReleaseRefused
from genpulse.branching.git.lane_history import Lines
from genpulse.branching.git.refs import Ref
from genpulse.branching.git.repository import Repository
from genpulse.branching.git.signatures import demand_signature
from genpulse.branching.git.tags import demand_published, fault_of, planted_note, tag_here
from genpulse.branching.releases.releasable import VersionTag, may_release
from genpulse.branching.releases.withdrawal import withdrawn
from genpulse.branching.rules.table import TEST
from genpulse.branching.rules.versions import Version


class Candidates:
    """Checks of release candidates. `lines` are those of today unless others are given."""

    def __init__(self, repository: Repository, lines: Lines | None = None) -> None:
        self._repository = repository
        self._lines = lines or repository.lines

    def demand(self, version: Version) -> Ref:
        """The tag of a proper candidate: annotated, published, on what was test's tip, signed where that counts.

        Raises `ReleaseRefused`, `RepositoryUnfit`, `GitFailed`.
        """
        ref = self._demand_placed(version)
        if self._repository.policy.demands_signature(version):
            demand_signature(self._repository, ref, version)
        return ref

    def is_proper(self, version: Version) -> bool:
        """Whether it is a candidate, and one that `demand` takes."""
        return version.candidate is not None and _passes(self.demand, version)

    def of(self, version: Version, tree: str) -> tuple[Version, ...]:
        """The proper candidates of a release that have this tree, newest first."""
        versions = self._repository.versions.items()
        fitting = (other for other, ref in versions if other.final == version.final and ref.tree == tree)
        return tuple(other for other in fitting if self.is_proper(other))

    def demand_open(self, tree: str, version: str | None = None, *, at: str | None = None) -> Version:
        """The version that main may be released as when it has this tree: that of a proper candidate, still open.

        `version` asks for one. With `at`, a commit of main, a version counts as released only where main had the
        release before that commit. Raises `ReleaseRefused`, `NameRefused`, `RepositoryUnfit`, `GitFailed`.
        """
        try:
            release = may_release(tree, [*self._counting, *self._released(at)], version)
            self._demand_any(release, tree)
        except ReleaseRefused as error:
            broken = self.broken(tree)
            if broken is None:
                raise
            says = error.found if broken.found in error.found else f"{error.found}\n{broken.found}"
            raise ReleaseRefused.of(replace(broken, rule=error.rule, found=says)) from error
        return release

    @property
    def _counting(self) -> list[VersionTag]:
        """The candidates that are not withdrawn."""
        withdrawals = withdrawn(self._repository.tag_names)
        return [tag for tag in self._placed if tag.version not in withdrawals]

    def _demand_kept(self, version: Version) -> None:
        if version in withdrawn(self._repository.tag_names):
            rule, finding = "What goes to main was not given up.", f"{version.tag} is withdrawn."
            mend = f"genpulse flow rc --version {version.final}"
            raise ReleaseRefused(
                "candidate_withdrawn", rule, finding, mend, note="Tag another one, or go on with dev."
            )

    def broken(self, tree: str) -> Refusal | None:
        """The refusal of the newest candidate with this tree that is not proper; None when there is none."""
        for version, ref in self._repository.refs.versions.items():
            if version.candidate is not None and ref.tree == tree:
                try:
                    self.demand(version)
                    self._demand_kept(version)
                except ReleaseRefused as error:
                    return error.refusal
        return None

    def _released(self, at: str | None) -> list[VersionTag]:
        finals = (version for version in self._repository.known_versions if version.candidate is None)
        marks = self._repository.refs.versions
        refs = [(version, marks.get(version)) for version in finals]
        earlier = self._lines.history(at) - {at} if at else None
        return [
            VersionTag(version, ref.commit if ref else "", ref.tree if ref else "")
            for version, ref in refs
            if earlier is None or (ref is not None and ref.commit in earlier)
        ]

    def _demand_placed(self, version: Version) -> Ref:
        """The tag of a candidate that is proper but for its signature, which takes longer to verify."""
        ref, tag = tag_here(self._repository, version), version.tag
        mend, note = f"genpulse flow rc --version {version.final}", "Tag another one."
        test = self._repository.row(TEST).pattern
        rule = f"A release candidate is an annotated tag on {test}."
        if fault := fault_of(ref):
            note = planted_note(self._repository, ref) or note
            raise ReleaseRefused("candidate_improper", rule, f"{tag} is {fault}.", mend, note=note)
        if not self._lines.carried(TEST, ref.commit):
            finding = f"{tag} marks {ref.commit[:9]}, which is not on {test}."
            raise ReleaseRefused("candidate_improper", rule, finding, mend, note=note)
        demand_published(self._repository, ref)
        return ref

    def _demand_any(self, version: Version, tree: str) -> None:
        """Raises what is wrong with all candidates of a release that have this tree."""
        fitting = [tag.version for tag in self._counting if tag.version.final == version and tag.tree == tree]
        if not any(self.is_proper(candidate) for candidate in fitting):
            self.demand(max(fitting))

    @cached_property
    def _placed(self) -> list[VersionTag]:
        candidates = {
            version: ref for version, ref in self._repository.versions.items() if version.candidate is not None
        }
        return [
            VersionTag(version, ref.commit, ref.tree)
            for version, ref in candidates.items()
            if _passes(self._demand_placed, version)
        ]


def _passes(demand: Callable[[Version], Ref], version: Version) -> bool:
    try:
        demand(version)
    except ReleaseRefused:
        return False
    return True


def released_at(repository: Repository, commit: str) -> Version | None:
    """The release that marks this commit, by a tag that everybody sees."""
    marks = (version for version, ref in repository.versions.items() if ref.commit == commit)
    return next((version for version in marks if version.candidate is None), None)
