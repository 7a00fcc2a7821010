"""Release what a candidate was tested with."""

from genpulse.branching.candidate import demand_on
from genpulse.branching.conditions import demand_clean, demand_history, demand_up_to_date
from genpulse.branching.errors import ReleaseRefused
from genpulse.branching.invariants import demand_intact
from genpulse.branching.refs import Ref
from genpulse.branching.releases import Tagged
from genpulse.branching.repository import Repository
from genpulse.branching.rules import may_release
from genpulse.branching.table import MAIN
from genpulse.branching.tagging import publish
from genpulse.branching.verification import Verifier
from genpulse.branching.versions import Version, version_named


def release(repository: Repository, version: str | None = None) -> Version:
    """Tag main's tip as a release and push the tag together with main, all or nothing.

    Without `version` it is that of the highest candidate with main's tree. Raises `ReleaseRefused`, `LaneBroken`,
    `RepositoryUnfit`, `NameRefused`, `GitFailed`.
    """
    if version:
        version_named(version)
    demand_on(repository, MAIN, "Final versions are tagged on main", "genpulse flow release")
    demand_clean(repository)
    demand_history(repository)
    repository.fetch()
    tip = repository.lane(MAIN)
    demand_up_to_date(repository, MAIN)
    demand_intact(repository, MAIN)
    verifier = Verifier(repository)
    found = may_release(tip.tree, _countable(repository, verifier), version)
    _demand_unreleased(repository, tip)
    message = f"Release {found}\n\nVerified as {verifier.candidates(found, tip.tree)[0].tag}."
    publish(repository, found, tip.commit, message, f"{tip.commit}:refs/heads/{repository.row(MAIN).pattern}")
    return found


def _countable(repository: Repository, verifier: Verifier) -> list[Tagged]:
    """Every final version counts as taken; of the candidates, those that were really tagged on test."""
    proper = {version for version in repository.refs.versions if verifier.is_proper_candidate(version)}
    return [tag for tag in repository.refs.tagged if tag.version.candidate is None or tag.version in proper]


def _demand_unreleased(repository: Repository, tip: Ref) -> None:
    for version, ref in repository.refs.versions.items():
        if version.candidate is None and ref.commit == tip.commit:
            rule = "A commit is released once."
            found = f"{tip.commit[:9]} is {version.tag} already."
            mend = "genpulse flow promote main"
            raise ReleaseRefused("commit_released", rule, found, mend, note="Promote something new first.")
