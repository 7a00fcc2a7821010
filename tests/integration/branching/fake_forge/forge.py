"""A forge with a bare repository: it takes pushes over SSH's protocol, opens and merges pull requests, and holds
everybody to the rules that `genpulse flow install` wrote."""

import subprocess
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path

from genpulse.branching.git.repository import Repository
from genpulse.branching.merge_check import ProposedMerge, check_merge
from tests.integration.branching.fake_forge import rules, updates
from tests.integration.branching.fake_forge.rules import NOTHING, Change

ROLES = {"ann": "administrator", "bob": "write", "cid": "write"}
GITLAB_ROLES = {"ann": "maintainer", "bob": "developer", "cid": "developer"}

_BY_PUSH_OPTIONS = """
base=
for number in $(seq 0 $((${GIT_PUSH_OPTION_COUNT:-0} - 1))); do
  eval "option=\\$GIT_PUSH_OPTION_$number"
  case "$option" in merge_request.target=*) base=${option#*=} ;; esac
done
[ -n "$base" ] || exit 0
while read -r _ _ ref; do
  echo "${ref#refs/heads/} $base" >>by-push-options
  echo "View merge request:"
  echo "  https://gitlab.com/o/r/-/merge_requests/$(wc -l <by-push-options | tr -d ' ')"
done
"""


class NotTaken(Exception):
    """The forge said no."""


@dataclass
class Request:
    """A pull request."""

    number: int
    head: str
    base: str
    title: str = ""
    body: str = ""
    open: bool = True
    merged: str = ""
    commits: tuple[str, ...] = field(default=())


class FakeForge:
    """`documents` are the rules: GitHub's rulesets as a list, or GitLab's one document."""

    def __init__(self, bare: Path, kind: str, documents, environment) -> None:
        self.bare, self.kind, self.environment = bare, kind, dict(environment)
        self.roles = GITLAB_ROLES if kind == "gitlab" else ROLES
        self.requests: dict[int, Request] = {}
        self.documents = documents
        self.enforce(documents)
        if kind == "gitlab":
            self.git("config", "receive.advertisePushOptions", "true")
            self._hook("post-receive", f"#!/bin/sh\n{_BY_PUSH_OPTIONS}")

    def enforce(self, documents) -> None:
        """Hold everybody to these rules from here on."""
        self.documents = documents
        self._hook("update", updates.SCRIPT)

    def moved(self, home: Path) -> "FakeForge":
        """The same forge where everything was copied to another place."""
        found = copy(self)
        found.bare, found.environment = home / self.bare.name, {**self.environment, "HOME": str(home)}
        found.requests = {number: copy(request) for number, request in self.requests.items()}
        return found

    def git(self, *arguments: str, ok=(0,)) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=self.bare, env=self.environment, capture_output=True, text=True, check=False
        )
        if done.returncode not in ok:
            raise NotTaken(done.stderr + done.stdout)
        return done.stdout.strip()

    def tip(self, name: str) -> str:
        return self.git("rev-parse", "--verify", "--quiet", f"refs/heads/{name}", ok=(0, 1)) or NOTHING

    def open(self, head: str, base: str, title: str = "", body: str = "") -> Request:
        """The one that is open from this branch into that, or a new one."""
        for request in self.requests.values():
            if (request.head, request.base, request.open) == (head, base, True):
                return request
        if NOTHING in {self.tip(head), self.tip(base)}:
            raise NotTaken(f"{head} or {base} does not exist.")
        request = Request(len(self.requests) + 1, head, base, title or f"Merge {head}", body)
        self.requests[request.number] = request
        return request

    def asked_for(self, head: str, base: str) -> bool:
        """Whether somebody opened it: by the API, or on GitLab by the options of a push."""
        told = self.bare / "by-push-options"
        lines = told.read_text().splitlines() if told.exists() else []
        known = [(one.head, one.base) for one in self.requests.values() if one.open]
        return (head, base) in known or f"{head} {base}" in lines

    def check(self, request: Request):
        """The required check, as the workflow asks it: in a checkout of its own, with the head fetched beside."""
        clone = self._checkout()
        all_refs = ("+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*")
        self._in(clone, "fetch", "--quiet", "--prune", "--no-tags", "origin", *all_refs)
        asked = ProposedMerge(request.head, request.base, "o/r", "o/r", self.tip(request.head))
        return check_merge(asked, Repository(clone, self.environment))

    def merge(self, request: Request, by: str, method: str = "merge") -> str:
        """Press the button. Raises `NotTaken` with what the forge says."""
        ours, theirs = self.tip(request.base), self.tip(request.head)
        commit = self._merged(request, ours, theirs, method)
        found = self.check(request)
        green = ("flow-check",) if found else ()
        told = "\n".join(str(refusal) for refusal in found.refusals)
        self._move(request.base, ours, commit, by, method=method, green=green, told=told)
        request.open, request.merged = False, commit
        request.commits = tuple(self.git("rev-list", f"{ours}..{theirs}").split())
        return commit

    def update_branch(self, request: Request, by: str) -> str:
        """GitHub's "Update branch": the base is merged into the head."""
        ours, theirs = self.tip(request.head), self.tip(request.base)
        commit = self._joined(ours, theirs, f"Merge branch '{request.base}' into {request.head}")
        self._move(request.head, ours, commit, by)
        return commit

    def revert(self, request: Request, by: str) -> Request:
        """The button "Revert" of a merged one: a new branch and a pull request into the same base."""
        base = self.tip(request.base)
        old = self.git("rev-parse", f"{request.merged}^1")
        tree = self._three_way(request.merged, base, old)
        commit = self.git("commit-tree", "-p", base, "-m", f'Revert "{request.title}"', tree)
        short = request.merged[:8]
        name = f"revert-{short}" if self.kind == "gitlab" else f"revert-{request.number}-{request.head}"
        self._move(name, NOTHING, commit, by)
        return self.open(name, request.base, f'Revert "{request.title}"')

    def _hook(self, name: str, script: str) -> None:
        hook = self.bare / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(script)
        hook.chmod(0o755)

    def _merged(self, request: Request, ours: str, theirs: str, method: str) -> str:
        if method == "fast-forward":
            return theirs
        if method == "merge":
            return self._joined(ours, theirs, f"Merge pull request #{request.number} from o/{request.head}")
        tree = self._tree(ours, theirs)
        if method == "squash":
            return self.git("commit-tree", "-p", ours, "-m", f"{request.title} (#{request.number})", tree)
        return self._rebased(ours, theirs)

    def _rebased(self, ours: str, theirs: str) -> str:
        tip = ours
        for commit in self.git("rev-list", "--reverse", "--no-merges", f"{ours}..{theirs}").split():
            tree = self._three_way(f"{commit}^", tip, commit)
            tip = self.git("commit-tree", "-p", tip, "-m", self.git("log", "-1", "--format=%s", commit), tree)
        return tip

    def _joined(self, ours: str, theirs: str, message: str) -> str:
        return self.git("commit-tree", "-p", ours, "-p", theirs, "-m", message, self._tree(ours, theirs))

    def _tree(self, ours: str, theirs: str) -> str:
        return self.git("merge-tree", "--write-tree", ours, theirs).partition("\n")[0]

    def _three_way(self, base: str, ours: str, theirs: str) -> str:
        """The tree of `ours` with what changed from `base` to `theirs`."""
        fake = self.git("commit-tree", "-m", "base", f"{base}^{{tree}}")
        left = self.git("commit-tree", "-p", fake, "-m", "ours", f"{ours}^{{tree}}")
        right = self.git("commit-tree", "-p", fake, "-m", "theirs", f"{theirs}^{{tree}}")
        return self._tree(left, right)

    def _move(self, name, old, new, by, *, method="", green=(), told="") -> None:
        forced = NOTHING not in {old, new} and rules.is_rewritten(self.bare, old, new)
        change = Change(f"refs/heads/{name}", old, new, forced=forced, method=method, green=green)
        if why := rules.refused(self.documents, self.kind, self.roles.get(by, ""), change):
            raise NotTaken(f"{why}\n{told}".strip())
        self.git("update-ref", f"refs/heads/{name}", new, old)

    def _checkout(self) -> Path:
        clone = self.bare.parent / "checkout"
        if not clone.exists():
            self.git("clone", "--quiet", "--no-checkout", str(self.bare), str(clone))
            self._in(clone, "remote", "set-url", "origin", f"../{self.bare.name}")
        return clone

    def _in(self, clone: Path, *arguments: str) -> None:
        subprocess.run(
            ["git", *arguments], cwd=clone, env=self.environment, capture_output=True, text=True, check=True
        )
