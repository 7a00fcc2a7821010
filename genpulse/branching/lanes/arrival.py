"""Judging a push to a lane by itself, not by the present state of the lanes."""

from genpulse.branching.errors import FlowError, GitFailed, NameRefused, Refusal, RepositoryUnfit
from genpulse.branching.git.refs import Ref
from genpulse.branching.git.repository import Repository
from genpulse.branching.lanes.invariants import lane_refusals
from genpulse.branching.lanes.promotion import demand_candidate
from genpulse.branching.rules.table import MAIN, Branch

_NOTHING = "0"


def arrival_refusals(repository: Repository, row: Branch, arrived: str, before: str = "") -> tuple[Refusal, ...]:
    """The refusals of a commit as the tip of a lane. `before` is the lane's tip until then, if known.

    A commit of main has to be what a candidate was that was open when it arrived, whatever was tested or released
    since. Raises `RepositoryUnfit` when a commit is not here, `NameRefused` when it is no id, and `GitFailed`.
    """
    commit = commit_here(repository, arrived, "--arrived")
    lines = repository.lines.at(row, commit)
    refusals = list(lane_refusals(repository, row, lines, _tip_before(repository, before)))
    if row == MAIN:
        try:
            repository.fetch_versions()
            demand_candidate(repository, _ref(repository, row, commit), repository.row(row), arrived=lines)
        except FlowError as error:
            refusals.append(error.refusal)
    return tuple(refusals)


def commit_here(repository: Repository, text: str, option: str) -> str:
    """The whole id of a commit. Raises `NameRefused` for no id, `RepositoryUnfit` when the commit is not here."""
    if not text.isalnum() or not text.isascii():
        note = "Take what the forge says, such as github.event.pull_request.head.sha."
        raise NameRefused("ref_unknown", f"{option} is a commit's id.", f"{text!r}", note=note)
    try:
        return repository.git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{text}^{{commit}}").line
    except GitFailed as error:
        note = "Fetch it first; in CI check out the whole history."
        raise RepositoryUnfit(
            "history_missing", "What is judged is here.", f"{text} is not here.", note=note
        ) from error


def _tip_before(repository: Repository, before: str) -> str:
    """The tip before a push; empty for a lane that was made by it, and for one that was wound back since."""
    if not before.strip(_NOTHING):
        return ""
    try:
        return commit_here(repository, before, "--before")
    except RepositoryUnfit:
        return ""


def _ref(repository: Repository, row: Branch, commit: str) -> Ref:
    tree = repository.git("rev-parse", "--verify", f"{commit}^{{tree}}").line
    name = repository.row(row).pattern
    return Ref(name, f"refs/heads/{name}", commit, commit, tree, annotated=False, says="", when=0, subject="")
