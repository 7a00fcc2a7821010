"""The environment that a commit, branch or tag may be deployed to."""

from collections.abc import Mapping
from dataclasses import dataclass

from genpulse.branching.errors import NameRefused, ReleaseRefused
from genpulse.branching.git.commits import is_ancestor
from genpulse.branching.git.repository import Repository
from genpulse.branching.preconditions import demand_history
from genpulse.branching.releases.candidate_check import released_at
from genpulse.branching.releases.verification import Verifier
from genpulse.branching.rules.names import kind_of, plain
from genpulse.branching.rules.table import DEV, MAIN, TEST, Branch
from genpulse.branching.rules.versions import Version, version_of
from genpulse.environment.table import Environment

_PRODUCTION_RULE = f"{MAIN.target} (ENV={MAIN.environment.name}) runs verified final tags and nothing else."


@dataclass(frozen=True, slots=True)
class Deployable:
    """A commit that may be deployed, the version that it carries if any, and the row it belongs to."""

    ref: str
    commit: str
    version: Version | None
    row: Branch


def deployable(
    repository: Repository, ref: str, environment: Environment | None = None, *, signed: bool = False
) -> Deployable:
    """Find where `ref` (a tag, a branch, a commit's id or HEAD) may be deployed.

    Raises `ReleaseRefused` for production without a verified final tag, for a broken candidate, for a commit that
    is on no lane, and when `environment` is another one than that which the ref belongs to. What belongs to a
    developer's own machine belongs to no environment that is shared.
    """
    verifier = Verifier(repository, signed=signed)
    homes = _homes(repository, verifier, ref)
    fitting = [home for home in homes if environment and home.row.target == environment.target]
    if environment is not None and not fitting:
        raise _elsewhere(ref, homes[0].row, environment)
    return (fitting or homes)[0]


def judged(
    repository: Repository,
    ref: str,
    environment: Environment | None = None,
    *,
    commit: str = "",
    job: bool = False,
    signed: bool = False,
) -> tuple[Deployable, str]:
    """Ask the remote, find where `ref` may be deployed, and check what is checked out; with a remark on that."""
    demand_history(repository)
    repository.fetch()
    target = deployable(repository, ref, environment, signed=signed)
    return target, demand_checked_out(repository, target, commit, job=job)


def is_job(process: Mapping[str, str]) -> bool:
    """Whether this is a job of CI, by what the process environment says."""
    return process.get("CI", "").strip().lower() in {"true", "1"}


def demand_checked_out(repository: Repository, target: Deployable, commit: str = "", *, job: bool = False) -> str:
    """Raises `ReleaseRefused` when what is about to be deployed is not the commit that was judged.

    That is `commit` where it is named, else what is checked out: in a job, where nothing but a commit is checked
    out, and on the branch that is asked for. On another branch somebody only asks; a remark is returned then,
    empty else.
    """
    there = repository.resolved(commit or "HEAD")
    if there == target.commit:
        return ""
    is_current = repository.refs.current in {None, plain(target.ref)}
    what = f"{commit} is" if commit else "what is checked out is"
    remark = f"{what} {there[:9] or 'no commit'}, and {target.ref} is {target.commit[:9]}"
    if not (commit or job or is_current):
        return f"{remark}: deploy its build, not this work tree."
    raise ReleaseRefused(
        "commit_not_judged",
        "What is deployed is what was judged.",
        f"{remark}.",
        f"git checkout --detach {target.commit}",
        note="Or name what is deployed: --commit <id or tag>. A branch may have moved on since the job began.",
    )


def _homes(repository: Repository, verifier: Verifier, ref: str) -> list[Deployable]:
    version = None if ref.startswith("refs/heads/") else version_of(ref.removeprefix("refs/tags/"))
    if version is not None:
        return [_of_version(verifier, ref, version)]
    row = None if ref.startswith("refs/tags/") else kind_of(plain(ref), repository.policy)
    if row is not None:
        return [_of_branch(repository, ref, row)]
    return _of_commit(repository, verifier, ref)


def _of_version(verifier: Verifier, ref: str, version: Version) -> Deployable:
    if version.candidate is not None:
        return Deployable(ref, verifier.demand_candidate(version).commit, version, TEST)
    return Deployable(ref, verifier.verify(version.tag).commit, version, MAIN)


def _of_branch(repository: Repository, ref: str, row: Branch) -> Deployable:
    name = plain(ref)
    tip = repository.refs.remote.get(name) or (None if row.is_lane else repository.refs.heads.get(name))
    if tip is None:
        raise NameRefused(
            "branch_missing",
            "What is deployed exists.",
            f"there is no branch {name}.",
            f"git fetch {repository.remote}",
        )
    if row != MAIN:
        return Deployable(ref, tip.commit, None, row)
    version = released_at(repository, tip.commit)
    finding = f"{name} is a branch" + (
        f"; its tip is {version.tag}." if version else ", and no final tag marks its tip."
    )
    mend = f"genpulse flow deployable --ref {version.tag}" if version else "genpulse flow release --list"
    raise ReleaseRefused("production_needs_release", _PRODUCTION_RULE, finding, mend)


def _of_commit(repository: Repository, verifier: Verifier, ref: str) -> list[Deployable]:
    commit = repository.resolved(ref)
    if not commit:
        mend = f"git fetch --tags {repository.remote}"
        raise NameRefused(
            "ref_unknown", "What is deployed exists.", f"{ref!r} is no tag, branch or commit here.", mend
        )
    marks = [version for version, tag in repository.refs.versions.items() if tag.commit == commit]
    homes, refused = _marked(verifier, ref, marks)
    if commit in repository.lines.own(TEST):
        homes.append(Deployable(ref, commit, None, TEST))
    if is_ancestor(repository.git, commit, repository.lane(DEV).commit):
        homes.append(Deployable(ref, commit, None, DEV))
    if not homes and refused:
        raise refused
    if not homes:
        test, dev = repository.row(TEST).pattern, repository.row(DEV).pattern
        finding = f"{commit[:9]} is neither tagged nor on {test} or {dev}."
        mend, note = "genpulse flow release --list", "Deploy one of the releases."
        raise ReleaseRefused("ref_not_on_lane", "What is deployed is on a lane.", finding, mend, note=note)
    return homes


def _marked(verifier: Verifier, ref: str, marks: list[Version]) -> tuple[list[Deployable], ReleaseRefused | None]:
    homes, refused = [], None
    for version in marks:
        try:
            homes.append(_of_version(verifier, ref, version))
        except ReleaseRefused as error:
            refused = error
    return homes, refused


def _elsewhere(ref: str, row: Branch, environment: Environment) -> ReleaseRefused:
    finding = f"{ref} belongs to {row.target} (ENV={row.environment.name})"
    if environment == MAIN.environment:
        mend, note = "genpulse flow release --list", "Deploy one of the releases."
        return ReleaseRefused("production_needs_release", _PRODUCTION_RULE, f"{finding}.", mend, note=note)
    note = f"Set ENV={row.environment.name}, or deploy {environment.branch}."
    if not row.is_lane:
        note = f"It runs on its developer's machine: genpulse dev. {environment.target} runs {environment.branch}."
    return ReleaseRefused(
        "environment_mismatch",
        "A ref is deployed to its own environment.",
        f"{finding}, and {environment.target} (ENV={environment.name}) was asked for.",
        note=note,
    )
