"""Begin a topic branch."""

import shlex

from genpulse.branching.conditions import demand_branch, demand_clean, demand_history
from genpulse.branching.errors import FlowError, NameRefused, Refusal
from genpulse.branching.names import clashes, kind_of, name_refusal, slug_of
from genpulse.branching.repository import Repository
from genpulse.branching.table import DEV, TOPICS
from genpulse.branching.verification import Verifier


def start(repository: Repository, name: str, start_from: str = DEV.pattern) -> str:
    """Create the branch from dev's tip on the remote, switch to it, and return the commit it begins at.

    Raises `NameRefused` and `RepositoryUnfit`; nothing is changed then.
    """
    refusal = _origin_refusal(name, start_from) or name_refusal(name)
    if refusal is not None:
        refusal = name_refusal(name, _last_release(repository)) or refusal
        raise NameRefused(refusal.rule, refusal.found, refusal.mend)
    demand_branch(repository)
    demand_clean(repository)
    demand_history(repository)
    repository.fetch()
    tip = repository.lane(DEV)
    _demand_free(repository, name, tip.commit)
    repository.git("switch", "--quiet", "--no-track", "--create", name, tip.full)
    repository.forget()
    return tip.commit


def _last_release(repository: Repository) -> str:
    try:
        found = Verifier(repository).releases()
    except FlowError:
        return ""
    return f"the last verified tag {found[0].version.tag}" if found else ""


def _origin_refusal(name: str, start_from: str) -> Refusal | None:
    if start_from.rpartition("/")[2] == DEV.pattern and kind_of(start_from) not in TOPICS:
        return None
    rule = f"{name} must start from {DEV.pattern}."
    return Refusal(rule, f"you asked for {start_from}.", f"genpulse flow start {name}")


def _demand_free(repository: Repository, name: str, commit: str) -> None:
    refs = repository.refs
    others = {**refs.remote, **refs.heads}
    if name in others:
        where = "here" if name in refs.heads else f"on {repository.remote}"
        raise NameRefused("A branch is begun once.", f"{name} exists {where}.", f"git switch {name}")
    if name in refs.tags:
        mend = f"git tag -d {name} && git push {repository.remote} :refs/tags/{name}"
        raise NameRefused("A tag and a branch do not share a name.", f"there is a tag {name}.", mend)
    if blocking := clashes(name, others):
        found = f"{name} cannot exist beside {', '.join(blocking)}."
        mend = f"git branch -m -- {shlex.quote(blocking[0])} {_family(name)}{slug_of(blocking[0])}"
        raise NameRefused("A branch's name is not the folder of another's.", found, mend)
    if repository.paths(commit, [name]):
        mend = f"genpulse flow start {name}-branch"
        raise NameRefused("A branch and a file or folder do not share a name.", f"{name} is in the tree.", mend)


def _family(name: str) -> str:
    return next(topic.prefix for topic in TOPICS if name.startswith(topic.prefix))
