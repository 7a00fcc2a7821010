"""Which environment a commit, branch or tag may be deployed to."""

from dataclasses import dataclass

from genpulse.branching.commits import is_ancestor, own_line
from genpulse.branching.errors import GitFailed, NameRefused, ReleaseRefused
from genpulse.branching.names import kind_of, plain
from genpulse.branching.repository import Repository
from genpulse.branching.table import DEV, MAIN, TEST, Branch
from genpulse.branching.verification import Verifier
from genpulse.branching.versions import Version, version_of
from genpulse.environment.table import Environment

_PRODUCTION_RULE = f"{MAIN.target} (ENV={MAIN.environment.name}) runs verified final tags and nothing else."


@dataclass(frozen=True, slots=True)
class Deployable:
    """What may be deployed, and where: a commit, the version that it carries if any, and the row it belongs to."""

    ref: str
    commit: str
    version: Version | None
    row: Branch


def deployable(
    repository: Repository, ref: str, environment: Environment | None = None, *, signed: bool = False
) -> Deployable:
    """Where `ref` (a tag, a branch, a commit's id or HEAD) belongs.

    Raises `ReleaseRefused` for production without a verified final tag, for a broken candidate, for a commit that
    is on no lane, and when `environment` is another one than that which the ref belongs to.
    """
    verifier = Verifier(repository, signed=signed)
    homes = _homes(repository, verifier, ref)
    fitting = [home for home in homes if home.row.environment == environment]
    if environment is not None and not fitting:
        raise _elsewhere(ref, homes[0].row, environment)
    return (fitting or homes)[0]


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
        tag = verifier.demand_candidate(version)
        verifier.demand_published(version)
        return Deployable(ref, tag.commit, version, TEST)
    verified = verifier.verify(version.tag)
    verifier.demand_published(version)
    return Deployable(ref, verified.commit, version, MAIN)


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
    marks = [version for version, tag in repository.refs.versions.items() if tag.commit == tip.commit]
    tag = next((version.tag for version in marks if version.candidate is None), None)
    found = f"{name} is a branch" + (f"; its tip is {tag}." if tag else ", and no final tag marks its tip.")
    mend = f"genpulse flow deployable --ref {tag}" if tag else "genpulse flow release --list"
    raise ReleaseRefused("production_needs_release", _PRODUCTION_RULE, found, mend)


def _of_commit(repository: Repository, verifier: Verifier, ref: str) -> list[Deployable]:
    try:
        commit = repository.git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}").line
    except GitFailed as error:
        mend = f"git fetch --tags {repository.remote}"
        raise NameRefused(
            "ref_unknown", "What is deployed exists.", f"{ref!r} is no tag, branch or commit here.", mend
        ) from error
    marks = [version for version, tag in repository.refs.versions.items() if tag.commit == commit]
    homes, refused = _marked(verifier, ref, marks)
    if commit in own_line(repository.git, repository.lane(TEST).commit):
        homes.append(Deployable(ref, commit, None, TEST))
    if is_ancestor(repository.git, commit, repository.lane(DEV).commit):
        homes.append(Deployable(ref, commit, None, DEV))
    if not homes and refused:
        raise refused
    if not homes:
        found = f"{commit[:9]} is neither tagged nor on test or dev."
        mend, note = "genpulse flow release --list", "Deploy one of the releases."
        raise ReleaseRefused("ref_not_on_lane", "What is deployed is on a lane.", found, mend, note=note)
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
    if environment == MAIN.environment:
        found = f"{ref} belongs to {row.target} (ENV={row.environment.name})."
        mend, note = "genpulse flow release --list", "Deploy one of the releases."
        return ReleaseRefused("production_needs_release", _PRODUCTION_RULE, found, mend, note=note)
    return ReleaseRefused(
        "environment_mismatch",
        "A ref is deployed to its own environment.",
        f"{ref} belongs to {row.target} (ENV={row.environment.name}), and ENV={environment.name} was asked for.",
        note=f"Set ENV={row.environment.name}, or deploy {environment.branch}.",
    )
