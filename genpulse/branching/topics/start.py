"""Begin a topic branch."""

import shlex

from genpulse.branching.errors import FlowError, NameRefused, Refusal
from genpulse.branching.git.repository import Repository
from genpulse.branching.lanes.partial_promotion import from_test_setting, tested_state
from genpulse.branching.misplaced_names import renamed_tag
from genpulse.branching.preconditions import demand_branch, demand_clean, demand_history
from genpulse.branching.releases.verification import Verifier
from genpulse.branching.rules.names import clashes, name_refusal
from genpulse.branching.rules.slugs import slug_of
from genpulse.branching.rules.table import DEV, FEATURE, TOPICS


def start(repository: Repository, name: str, start_from: str = "", *, from_test: bool = False) -> str:
    """Create the branch from dev's tip on the remote, switch to it, and return the commit it begins at.

    With `from_test` it begins at what test has of dev, for a fix that is to be promoted alone. Raises
    `LaneBroken`, `NameRefused` and `RepositoryUnfit`; nothing is changed then.
    """
    refusal = _origin_refusal(repository, name, start_from) or _name_refusal(repository, name)
    if refusal is not None:
        refusal = _name_refusal(repository, name, _last_release(repository)) or refusal
        raise NameRefused.of(refusal)
    demand_branch(repository)
    demand_clean(repository)
    demand_history(repository)
    repository.fetch()
    commit = tested_state(repository) if from_test else repository.lane(DEV).commit
    _demand_free(repository, name, commit)
    repository.git("switch", "--quiet", "--no-track", "--create", name, commit)
    if from_test:
        repository.git("config", from_test_setting(name), "true")
    repository.forget()
    return commit


def _last_release(repository: Repository) -> str:
    try:
        releases = Verifier(repository).releases()
    except FlowError:
        return ""
    return f"the last verified tag {releases[0].version.tag}" if releases else ""


def _name_refusal(repository: Repository, name: str, last_release: str = "") -> Refusal | None:
    return name_refusal(name, last_release, repository.policy)


def _origin_refusal(repository: Repository, name: str, start_from: str) -> Refusal | None:
    dev = repository.row(DEV).pattern
    if not start_from or start_from in {dev, f"{repository.remote}/{dev}", f"refs/heads/{dev}"}:
        return None
    rule = f"{name} must start from {dev}."
    mend = (f"genpulse flow start {shlex.quote(name)}",)
    return Refusal("topic_origin_wrong", rule, f"you asked for {start_from}.", mend)


def _demand_free(repository: Repository, name: str, commit: str) -> None:
    refs = repository.refs
    others = {**refs.remote, **refs.heads}
    if name in others:
        where = "here" if name in refs.heads else f"on {repository.remote}"
        finding = f"{name} exists {where}."
        raise NameRefused("branch_exists", "A branch is begun once.", finding, f"git switch {name}")
    if name in refs.tags:
        ways, note = renamed_tag(name, repository.remote)
        rule = "A tag and a branch do not share a name."
        raise NameRefused("tag_in_the_way", rule, f"there is a tag {name}.", *ways, note=note)
    if blocking := clashes(name, others):
        finding = f"{name} cannot exist beside {', '.join(blocking)}."
        mend = _beside(name, blocking[0])
        raise NameRefused("name_clashes", "Two branches' names are not one to a file system.", finding, mend)
    if repository.paths(commit, [name]):
        mend = f"genpulse flow start {name}-branch"
        rule = "A branch and a file or folder do not share a name."
        raise NameRefused("path_in_the_way", rule, f"{name} is in the tree.", mend)


def _beside(name: str, other: str) -> str:
    """A branch that is called like a family is renamed; beside any other one the new branch gets another name."""
    if name.lower().startswith(f"{other.lower()}/") and "/" not in other:
        return f"git branch -m -- {shlex.quote(other)} {_family(name)}{slug_of(other)}"
    family = _family(name)
    return f"genpulse flow start {family}{name.removeprefix(family).replace('/', '-')}-2"


def _family(name: str) -> str:
    return next((topic.prefix for topic in TOPICS if name.startswith(topic.prefix)), FEATURE.prefix)
