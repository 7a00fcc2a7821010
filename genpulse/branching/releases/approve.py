"""Approve a candidate, and demand that somebody did."""

import re
from collections.abc import Sequence

from genpulse.branching.errors import GitFailed, ReleaseRefused
from genpulse.branching.git.repository import Repository
from genpulse.branching.preconditions import demand_history
from genpulse.branching.releases.approvals import Person, approval_name, approvals, is_signed_by_its_author, tagger
from genpulse.branching.releases.candidate_check import Candidates
from genpulse.branching.rules.versions import Version, version_named

_RULE = "A candidate is approved by somebody else before it goes to main."
_IDENTITY = re.compile(r"(?P<name>.*) <(?P<email>[^>]*)>")


def approve(repository: Repository, version: str | None = None, words: str = "") -> Version:
    """Publish that the person who runs this approves a candidate, and return which one.

    `version` names the candidate, or the release whose newest one is meant; without it, it is the newest of all
    releases that are still open. `words` say what was tested. Raises `ReleaseRefused` for one's own candidate, and
    `GitFailed`.
    """
    demand_history(repository)
    repository.fetch()
    target = version_named(version) if version else None
    candidate = target if target and target.candidate else _newest_open(repository, target)
    ref = Candidates(repository).demand(candidate)
    me = _me(repository)
    author = tagger(repository, ref.object)
    if author is not None and me.is_same(author):
        says, note = f"{candidate.tag} was tagged by {author}, and so are you.", "Ask somebody who tested it."
        raise ReleaseRefused("approval_own", _RULE, says, note=note)
    _publish(repository, approval_name(candidate, me), ref.object, words or f"{candidate.tag} is approved.")
    return candidate


def demand_approved(repository: Repository, candidates: Sequence[Version]) -> None:
    """Raises `ReleaseRefused` when the team demands an approval, and none of these candidates has one."""
    rule = repository.policy.approval
    if rule is None or not candidates:
        return
    if rule.by == "status":
        from genpulse.branching.forges.status import demand_status

        demand_status(repository, repository.refs.tags[candidates[0].tag].commit, rule.status)
        return
    signed = rule.by == "signature"
    if any(_approved(repository, version, signed=signed) for version in candidates):
        return
    newest = candidates[0]
    author = tagger(repository, repository.refs.tags[newest.tag].object)
    what = "no approval with a good signature of its author" if signed else "no approval"
    note = f"Somebody else than {author} runs it, once {newest.tag} was tested."
    raise ReleaseRefused(
        "approval_missing",
        _RULE,
        f"{newest.tag} has {what}.",
        f"genpulse flow rc --approve --version {newest}",
        note=note,
    )


def who_approved(repository: Repository, candidates: Sequence[Version]) -> tuple[str, ...]:
    """The names of those who approved one of these candidates, for people to read."""
    people = (str(each.by) for version in candidates for each in approvals(repository, version))
    return tuple(dict.fromkeys(people))


def approval_sentence(repository: Repository, candidates: Sequence[Version]) -> str:
    """Who approved, or plainly that nobody did."""
    people = who_approved(repository, candidates)
    if people:
        return f"Approved by {', '.join(people)}."
    rule = repository.policy.approval
    if rule is not None and rule.by == "status":
        return f"Approved by the status {rule.status}."
    return f"Nobody approved {candidates[0].tag}."


def approval_of(repository: Repository, tree: str) -> str:
    """The approval sentence for the open candidates that have these files."""
    candidates = Candidates(repository)
    return approval_sentence(repository, candidates.of(candidates.demand_open(tree), tree))


def _approved(repository: Repository, version: Version, *, signed: bool) -> bool:
    entries = approvals(repository, version)
    return any(not signed or is_signed_by_its_author(repository, each) for each in entries)


def _newest_open(repository: Repository, final: Version | None) -> Version:
    candidates = Candidates(repository)
    released = {version for version in repository.known_versions if version.candidate is None}
    for version in repository.versions:
        fits = version.candidate is not None and final in {None, version.final}
        if fits and version.final not in released and candidates.is_proper(version):
            return version
    finding = f"there is no open candidate{f' of {final.tag}' if final else ''}."
    raise ReleaseRefused("candidate_missing", _RULE, finding, "genpulse flow rc")


def _me(repository: Repository) -> Person:
    match = _IDENTITY.match(repository.git("var", "GIT_COMMITTER_IDENT").line)
    return Person(match["name"], match["email"]) if match else Person("", "")


def _publish(repository: Repository, name: str, object_: str, words: str) -> None:
    """Make the tag and push it, or leave no trace."""
    if repository.published is not None and name in repository.published.tags:
        says, note = f"{name} is on {repository.remote}.", "You approved it already."
        raise ReleaseRefused("approval_exists", "A person approves a candidate once.", says, note=note)
    approval = repository.policy.approval
    signs = repository.signs_tags or (approval is not None and approval.by == "signature")
    git = repository.git
    git("tag", "--force", "-s" if signs else "-a", "--message", words, "--", name, object_)
    tag = git("rev-parse", "--verify", f"refs/tags/{name}").line
    try:
        if signs and "-----BEGIN" not in git("cat-file", "tag", tag).out:
            note = "Nothing was pushed. Is the signing key there?"
            says = f"git made {name} without a signature."
            raise GitFailed(
                "signing_failed", "Tags are signed here.", says, "git config user.signingkey", note=note
            )
        git.remotely("push", "--quiet", "--", repository.remote, f"{tag}:refs/tags/{name}")
    finally:
        git("update-ref", "-d", f"refs/tags/{name}", tag)
        repository.forget()
