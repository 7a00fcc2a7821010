"""A git repository, as the flow uses it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from genpulse.branching.git import commits
from genpulse.branching.git.commits import Commit
from genpulse.branching.git.lane_history import Lines
from genpulse.branching.git.last_fetch import remember_fetch
from genpulse.branching.git.place import place_of
from genpulse.branching.git.process import Git
from genpulse.branching.git.refs import Ref, Refs, read_refs
from genpulse.branching.git.remote_refs import Published, lacking, read_published
from genpulse.branching.git.settings import GitSettings
from genpulse.branching.lanes.missing_lane import missing_lane
from genpulse.branching.rules.policy import Policy
from genpulse.branching.rules.table import LANES, MAIN, TEST, Branch
from genpulse.branching.rules.versions import Version, version_of
from genpulse.branching.settings.file import read_policy


@dataclass(frozen=True, slots=True)
class TriedMerge:
    """The result of a merge that was tried: a tree, or the files in which it conflicts."""

    tree: str
    conflicts: tuple[str, ...]


class Repository:
    """A repository and its remote, read once and kept until `fetch` or `forget`."""

    def __init__(
        self, folder: Path, environment: Mapping[str, str], *, offline: bool = False, trunk: str = ""
    ) -> None:
        """`trunk` is what dev is called, where somebody who is trusted says it; else the repository is asked."""
        self.git = Git(folder, environment)
        self.offline = offline
        self.trunk = trunk

    @property
    def remote(self) -> str:
        """The name of the remote that everybody shares. Raises `RepositoryUnfit`."""
        return self._settings.remote

    @cached_property
    def refs(self) -> Refs:
        """Branches and tags."""
        return read_refs(self.git, self.remote)

    @cached_property
    def policy(self) -> Policy:
        """The team's settings, as dev on the remote had them when it was last fetched. Raises `PolicyBroken`."""
        branches = {name: ref.commit for name, ref in self.refs.remote.items()}
        return read_policy(self.git, self.remote, branches, self.refs.default, self.trunk)

    def go_by(self, policy: Policy) -> None:
        """Go by these settings until the remote is asked again."""
        self.__dict__["policy"] = policy

    @property
    def lanes(self) -> tuple[Branch, ...]:
        """Dev, test and main under their names here, in the order in which a change passes them."""
        return self.policy.lanes

    def row(self, row: Branch) -> Branch:
        """A row of the table with this repository's names."""
        return self.policy.row(row)

    @cached_property
    def published(self) -> Published | None:
        """The remote's branches and tags, read once; None when offline. Raises `GitFailed`."""
        return None if self.offline else read_published(self.git, self.remote)

    @cached_property
    def versions(self) -> dict[Version, Ref]:
        """The version tags that everybody sees, newest first: those that are the same here and on the remote.

        Offline it is those that are here.
        """
        if self.published is None:
            return self.refs.versions
        there = {name: mark.object for name, mark in self.published.tags.items()}
        return {version: ref for version, ref in self.refs.versions.items() if there.get(ref.name) == ref.object}

    @property
    def known_versions(self) -> tuple[Version, ...]:
        """The versions that are taken, newest first, whatever their tags are worth; offline, those here."""
        names = self.refs.tags if self.published is None else self.published.tags
        return tuple(sorted((version for name in names if (version := version_of(name))), reverse=True))

    @cached_property
    def lines(self) -> Lines:
        """The lines of the lanes as last fetched. Raises `RepositoryUnfit` when one is not there."""
        marks = [
            (version, ref.commit) for version, ref in self.refs.versions.items() if ref.annotated and ref.commit
        ]
        marked = {
            TEST: frozenset(commit for version, commit in marks if version.candidate is not None),
            MAIN: frozenset(commit for version, commit in marks if version.candidate is None),
        }
        return Lines(self.git, {row: self.lane(row).commit for row in LANES}, marked)

    @property
    def is_shallow(self) -> bool:
        """Whether a part of the history is missing here."""
        return place_of(self.git).is_shallow

    @cached_property
    def merge_option(self) -> str:
        """` --merge` where the remote has no pull requests and a command has to merge by itself, else nothing."""
        from genpulse.branching.forges.address import address_of

        return "" if address_of(self.git, self.remote) else " --merge"

    @property
    def signs_tags(self) -> bool:
        """Whether git is told to sign tags here, by `tag.gpgSign` or `flow.signTags`."""
        return self._settings.is_on("tag.gpgsign") or self._settings.is_on("flow.signtags")

    @property
    def signs_commits(self) -> bool:
        """Whether git is told to sign commits here."""
        return self._settings.is_on("commit.gpgsign")

    @property
    def root(self) -> Path:
        """The work tree's top folder."""
        return Path(self.git("rev-parse", "--show-toplevel").line)

    def setting(self, key: str) -> str:
        """A setting of git that the flow goes by, such as `flow.pushRemote`; empty where it is not there."""
        first, _, rest = key.partition(".")
        middle, dot, last = rest.rpartition(".")
        return self._settings.value(f"{first.lower()}.{middle}{dot}{last.lower()}")

    def lane(self, row: Branch) -> Ref:
        """The lane's tip on the remote, as last fetched. Raises `RepositoryUnfit` when it is not there."""
        name = self.row(row).pattern
        ref = self.refs.remote.get(name)
        if ref is None:
            lanes, fetches_all = [lane.pattern for lane in self.lanes], self._settings.fetches_all(self.remote)
            raise missing_lane(self.remote, name, lanes, self.refs.remote, fetches_all=fetches_all)
        return ref

    def fetch(self) -> None:
        """Fetch branches and version tags of the remote, unless offline. Other tags are not fetched.

        Where everything that it has is here already, asking for it was enough.

        A tag that is here already stays as it is, with one exception: a light tag on the very commit that the
        remote's annotated one marks, which a checkout put in its place, becomes the annotated one.
        """
        if not self.offline:
            self.forget()
            lacking = self._lacking()
            if lacking or self._has_moved:
                self._fetch(f"+refs/heads/*:refs/remotes/{self.remote}/*", *lacking)
            remember_fetch(self.git, self.remote)

    def fetch_versions(self) -> None:
        """Fetch version tags alone: what is known of the lanes stays as it is."""
        lacking = self._lacking()
        if lacking:
            self._fetch(*lacking)

    def forget(self) -> None:
        """Read branches, tags and settings again when they are asked for."""
        self.__dict__.pop("published", None)
        self._forget_refs()

    def _fetch(self, *refspecs: str) -> None:
        options = ("--prune", "--no-tags", "--no-recurse-submodules", "--stdin")
        self.git.remotely("fetch", *options, "--", self.remote, stdin="".join(f"{spec}\n" for spec in refspecs))
        self._forget_refs()

    @property
    def _has_moved(self) -> bool:
        """Whether the remote's branches are others than they are here."""
        here = {name: ref.object for name, ref in self.refs.remote.items()}
        return self.published is None or dict(self.published.heads) != here

    def _forget_refs(self) -> None:
        for name in ("refs", "policy", "versions", "lines"):
            self.__dict__.pop(name, None)

    def _lacking(self) -> list[str]:
        return lacking(self.published, self.refs.tags) if self.published else []

    def resolved(self, name: str) -> str:
        """The commit that a name stands for here; empty when it stands for none."""
        options = ("--verify", "--quiet", "--end-of-options")
        output = self.git("rev-parse", *options, f"{name}^{{commit}}", ok=(0, 1, 128))
        return output.line if output.code == 0 else ""

    def between(self, tips: Iterable[str], without: Iterable[str] = ()) -> tuple[Commit, ...]:
        """Commits reachable from `tips` and not from `without`, newest first."""
        return commits.commits_between(self.git, tips, without)

    def without_history_of(self, candidates: Iterable[Commit], tips: Iterable[str]) -> tuple[Commit, ...]:
        """The commits that are in no tip's history, whatever dates they carry.

        Git walks ranges by date and lists too much where a parent is much younger than its children; this looks at
        every commit instead, so it is for what is about to be refused.
        """
        history = set(self.git("rev-list", *tips, "--").out.split())
        return tuple(commit for commit in candidates if commit.id not in history)

    def changed_files(self) -> tuple[str, ...]:
        """Tracked files that differ from what is committed."""
        output = self.git("status", "--porcelain=v1", "-z", "--untracked-files=no", "--no-renames")
        return tuple(entry[3:] for entry in output.fields)

    def paths(self, commit: str, candidates: Sequence[str]) -> tuple[str, ...]:
        """The candidates that name a file or folder in the commit's tree."""
        output = self.git.lasting("ls-tree", "-z", "--full-tree", "--name-only", commit, "--", *candidates)
        return output.fields

    def try_merge(self, base: str, head: str) -> TriedMerge:
        """Merge two commits without touching the work tree."""
        options = ("--write-tree", "--name-only", "--no-messages", "-z")
        output = self.git.lasting("merge-tree", *options, base, head, ok=(0, 1))
        tree, *files = output.fields
        return TriedMerge(tree, tuple(dict.fromkeys(files)) if output.code else ())

    @property
    def has_remote(self) -> bool:
        """Whether there is any remote."""
        return bool(self._settings.remotes)

    @property
    def tag_names(self) -> tuple[str, ...]:
        """The names of all tags: of the remote's where it was asked already, of those here else."""
        published: Published | None = self.__dict__.get("published")
        return tuple(self.refs.tags if published is None else published.tags)

    def tags_behind(self, commit: str) -> frozenset[str]:
        """The names of the tags that have a commit in their history."""
        output = self.git("for-each-ref", f"--contains={commit}", "--format=%(refname:strip=2)", "refs/tags/")
        return frozenset(output.out.split())

    @cached_property
    def _settings(self) -> GitSettings:
        return GitSettings(self.git)
