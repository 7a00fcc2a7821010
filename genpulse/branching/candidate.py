"""Tag a release candidate on test."""

from genpulse.branching.commits import is_ancestor
from genpulse.branching.conditions import demand_branch, demand_clean, demand_history, demand_up_to_date
from genpulse.branching.errors import ReleaseRefused
from genpulse.branching.invariants import demand_intact
from genpulse.branching.repository import Repository
from genpulse.branching.rules import next_candidate
from genpulse.branching.table import TEST, Branch
from genpulse.branching.tagging import publish
from genpulse.branching.versions import Version, version_named


def tag_candidate(repository: Repository, version: str | None = None) -> Version:
    """Tag test's tip as the next candidate and push the tag.

    `version` is the release it is for, such as 1.4.0. Without it: the release that has candidates already, else a
    minor step. Raises `ReleaseRefused`, `LaneBroken`, `RepositoryUnfit`, `NameRefused`, `GitFailed`.
    """
    wanted = version_named(version) if version else None
    demand_on(repository, TEST, "Release candidates are tagged on test", "genpulse flow rc")
    demand_clean(repository)
    demand_history(repository)
    repository.fetch()
    tip = repository.lane(TEST)
    demand_up_to_date(repository, TEST)
    demand_intact(repository, TEST)
    found = next_candidate(repository.refs.tags, wanted)
    if wanted and wanted.candidate and wanted != found:
        raise ReleaseRefused(
            "candidate_out_of_order",
            "Candidates are counted without a gap.",
            f"the next one is {found.tag}, and you asked for {wanted.tag}.",
            f"genpulse flow rc --version {found.final}",
        )
    _demand_new(repository, found, tip.commit)
    publish(repository, found, tip.commit, f"Release candidate {found}")
    return found


def demand_on(repository: Repository, row: Branch, rule: str, command: str) -> None:
    """Raises `ReleaseRefused` when another branch is out than this lane."""
    current, row = demand_branch(repository), repository.row(row)
    if current != row.pattern:
        mend = f"git switch {row.pattern} && git pull --ff-only && {command}"
        raise ReleaseRefused("not_on_lane", f"{rule}.", f"you are on {current}.", mend)


def _demand_new(repository: Repository, version: Version, commit: str) -> None:
    versions = repository.refs.versions
    for other, ref in versions.items():
        closed = other.final in {version.final, *versions}
        if closed and ref.commit and is_ancestor(repository.git, commit, ref.commit):
            rule = "A candidate has something that the one before did not have."
            found = f"{other.tag} marks {ref.commit[:9]} already."
            mend = "genpulse flow promote test"
            raise ReleaseRefused("candidate_repeated", rule, found, mend, note="Promote something new first.")
