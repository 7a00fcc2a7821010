"""Bring a topic branch into dev."""

from genpulse.branching.errors import MergeRefused, NameRefused, PolicyBroken
from genpulse.branching.git.commits import Commit
from genpulse.branching.git.refs import Ref
from genpulse.branching.git.repository import Repository
from genpulse.branching.lanes.backmerge_branches import is_back_merge
from genpulse.branching.lanes.partial_promotion import from_test_setting
from genpulse.branching.preconditions import demand_branch, demand_clean, demand_history
from genpulse.branching.rules.names import clashes, kind_of
from genpulse.branching.rules.table import DEV, TOPICS
from genpulse.branching.settings.change import settings_refusals, take_mended
from genpulse.branching.topics.divergence import demand_together
from genpulse.branching.topics.forks import push_remote, set_upstream
from genpulse.branching.topics.merging import MergeResult, merge_or_request
from genpulse.branching.topics.open_topics import demand_cut_from_dev


def finish(repository: Repository, *, merge: bool = False) -> MergeResult:
    """Push the branch that is out and open its pull request into dev, or merge it there at once.

    Raises `RepositoryUnfit`, `MergeRefused`, `GitFailed` and the forge's error.
    """
    _settle(repository)
    ref = _demand_topic(repository)
    demand_clean(repository)
    demand_history(repository)
    repository.fetch()
    _settle(repository)
    ref = repository.refs.heads[ref.name]
    _demand_alone(repository, ref.name)
    for refusal in settings_refusals(repository, ref.commit):
        raise PolicyBroken.of(refusal)
    topic = demand_cut_from_dev(repository, ref)
    _demand_content(repository, ref, topic.commits)
    to = push_remote(repository, ref.name)
    demand_together(repository, ref, to)
    _demand_merges(repository, ref)
    title = _title(topic.commits)
    result = merge_or_request(repository, ref, DEV, title, topic.commits, merge=merge, push_remote=to)
    if not merge:
        set_upstream(repository, ref.name, to)
    return result


def _settle(repository: Repository) -> None:
    """Where nobody understands the settings in dev, the branch that mends them goes by its own."""
    take_mended(repository, repository.refs.heads[demand_branch(repository)].commit)


def _demand_topic(repository: Repository) -> Ref:
    name = demand_branch(repository)
    row = kind_of(name, repository.policy)
    if row not in TOPICS:
        rule = "feature/* and fix/* branches are finished."
        onward = row.merges_into if row is not None else ""
        mend = (f"genpulse flow promote {onward}",) if onward else ()
        note = "Switch to the branch that is complete." + (" A lane moves on by a promotion." if onward else "")
        raise MergeRefused("not_a_topic", rule, f"you are on {name}.", *mend, note=note)
    return repository.refs.heads[name]


def _demand_alone(repository: Repository, name: str) -> None:
    """Raises `NameRefused` when the remote has a branch that cannot be there beside this one."""
    blocking = clashes(name, repository.refs.remote) if name not in repository.refs.remote else ()
    if blocking:
        finding = f"{name} cannot exist beside {', '.join(blocking)}."
        mend = f"git branch -m {name}-2 && genpulse flow finish"
        raise NameRefused("name_clashes", "Two branches' names are not one to a file system.", finding, mend)


def _demand_content(repository: Repository, ref: Ref, commits: tuple[Commit, ...]) -> None:
    if not commits:
        finding = f"{ref.name} has no commit that {repository.row(DEV).pattern} does not have."
        note = "Commit something, or leave the branch."
        raise MergeRefused(
            "nothing_to_merge",
            "There is something to merge.",
            finding,
            f"git switch {repository.row(DEV).pattern}",
            note=note,
        )


def _demand_merges(repository: Repository, ref: Ref) -> None:
    dev, name = repository.lane(DEV), repository.row(DEV).pattern
    tried = repository.try_merge(dev.commit, ref.commit)
    if tried.conflicts:
        raise _conflict(repository, ref, name, tried.conflicts)
    if tried.tree == dev.tree and not _may_change_nothing(repository, ref.name):
        raise MergeRefused(
            "nothing_to_merge",
            "There is something to merge.",
            f"{name} has every change of {ref.name} by commits of its own: it was squashed, rebased or picked.",
            f"git switch {name}",
        )


def _may_change_nothing(repository: Repository, name: str) -> bool:
    """A lane that comes back, or a fix that dev has and test is to get alone, is merged for its commits."""
    return is_back_merge(name) or bool(repository.setting(from_test_setting(name)))


def _conflict(repository: Repository, ref: Ref, dev: str, files: tuple[str, ...]) -> MergeRefused:
    """A branch that the remote has is merged with dev, not rebased."""
    verb = "merge" if ref.name in repository.refs.remote else "rebase"
    return MergeRefused(
        "merge_conflict",
        f"{ref.name} merges into {dev} without conflicts.",
        "merging would conflict in:\n" + "\n".join(files),
        f"git {verb} {repository.remote}/{dev}",
        note=f"Mend the files, `git add` them and continue: git {verb} --continue. Then: genpulse flow finish",
    )


def _title(commits: tuple[Commit, ...]) -> str:
    own = [commit for commit in commits if not commit.is_merge] or list(commits)
    return own[-1].subject or own[-1].id[:9]
