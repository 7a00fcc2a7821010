"""Tag a release candidate on test."""

from genpulse.branching.errors import ReleaseRefused
from genpulse.branching.git.repository import Repository
from genpulse.branching.lanes.invariants import demand_intact
from genpulse.branching.preconditions import demand_history
from genpulse.branching.releases.declared_version import declared_wish, demand_declared
from genpulse.branching.releases.tag_publication import publish
from genpulse.branching.releases.withdrawal import withdrawn
from genpulse.branching.rules.table import TEST
from genpulse.branching.rules.versions import Version, next_candidate, open_releases, version_named


def tag_candidate(repository: Repository, version: str | None = None) -> Version:
    """Tag test's tip on the remote as the next candidate and push the tag. It does not matter what is checked out.

    `version` is the release it is for, such as 1.4.0. Without it: what the package declares, else the release that
    has candidates already, else a minor step. Raises `ReleaseRefused`, `LaneBroken`, `RepositoryUnfit`,
    `NameRefused`, `GitFailed`.
    """
    target = version_named(version) if version else None
    demand_history(repository)
    repository.fetch()
    tip = repository.lane(TEST)
    demand_intact(repository, TEST)
    target = target or declared_wish(repository, tip.commit)
    if target is None:
        _demand_one_open(repository)
    candidate = next_candidate(repository.tag_names, target)
    if target and target.candidate and target != candidate:
        raise ReleaseRefused(
            "candidate_out_of_order",
            "Candidates are counted without a gap.",
            f"the next one is {candidate.tag}, and you asked for {target.tag}.",
            f"genpulse flow rc --version {candidate.final}",
        )
    demand_declared(repository, tip.commit, candidate)
    _demand_new(repository, candidate, tip.commit)
    publish(repository, candidate, tip.commit, f"Release candidate {candidate}")
    return candidate


def _demand_one_open(repository: Repository) -> None:
    """A release that was given up would draw every later candidate along."""
    open_ones = open_releases(repository.tag_names)
    if len(open_ones) > 1:
        raise ReleaseRefused(
            "candidate_ambiguous",
            "A candidate is for one release.",
            f"{len(open_ones)} releases are open: {', '.join(candidate.tag for candidate in open_ones)}.",
            *(f"genpulse flow rc --version {candidate.final}" for candidate in reversed(open_ones)),
            note=f"Close one that was given up: genpulse flow rc --withdraw {open_ones[0].final}",
        )


def _demand_new(repository: Repository, version: Version, commit: str) -> None:
    versions, behind = repository.versions, repository.tags_behind(commit)
    withdrawals = withdrawn(repository.tag_names)
    for other, ref in versions.items():
        if other.final in {version.final, *versions} and ref.name in behind and other not in withdrawals:
            rule = "A candidate has something that the one before did not have."
            finding = f"{other.tag} marks {ref.commit[:9]} already."
            mend = f"genpulse flow promote {repository.row(TEST).pattern}"
            raise ReleaseRefused("candidate_repeated", rule, finding, mend, note="Promote something new first.")
