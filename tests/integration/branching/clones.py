"""A real repository with a bare remote, and a clone of it."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from genpulse.branching.git.repository import Repository
from genpulse.branching.lanes.promotion import plan_promotion, promote
from genpulse.branching.releases.tag_candidate import tag_candidate
from genpulse.branching.releases.tag_release import release
from genpulse.branching.rules.table import MAIN, TEST
from tests import flow_command

ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_GLOBAL": str(Path(__file__).with_name("gitconfig")),
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_TEMPLATE_DIR": "",
    "GIT_AUTHOR_NAME": "Author",
    "GIT_AUTHOR_EMAIL": "author@example.org",
    "GIT_COMMITTER_NAME": "Author",
    "GIT_COMMITTER_EMAIL": "author@example.org",
}


@dataclass(frozen=True)
class Clone:
    """A work tree and the bare repository that it was cloned from."""

    folder: Path
    bare: Path

    def git(self, *arguments: str, stdin: str | None = None, **environment: str) -> str:
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.folder,
            env={**ENVIRONMENT, **environment},
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL if stdin is None else None,
            input=stdin,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def shell(self, command: str) -> None:
        """Run what a message told to run, word for word."""
        done = flow_command.typed(command, self.folder, ENVIRONMENT)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"

    def commit(self, file: str, text: str, subject: str = "") -> str:
        path = self.folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        self.git("add", "--", file)
        self.git("commit", "-qm", subject or f"Change {file}")
        return self.git("rev-parse", "HEAD")

    def push(self, *refspecs: str) -> None:
        self.git("push", "-q", "origin", *refspecs)

    def repository(self, *, offline: bool = False, **environment: str) -> Repository:
        return Repository(self.folder, {**ENVIRONMENT, **environment}, offline=offline)

    def refs(self) -> str:
        """Everything that a command could have changed: refs here and there, what is out, changed files."""
        there = subprocess.run(
            ["git", "for-each-ref"], cwd=self.bare, env=ENVIRONMENT, capture_output=True, text=True, check=True
        )
        head = (self.folder / ".git" / "HEAD").read_text()
        return "\n".join((self.git("for-each-ref"), there.stdout, head, self.git("status", "--porcelain")))

    def merge(self, source: str, target: str) -> str:
        """The merge of a pull request, done elsewhere; this clone has not fetched it."""
        commit = self._joined(source, target, f"origin/{source}")
        self.push(f"{commit}:refs/heads/{target}")
        return commit

    def topic(self, name: str, file: str, text: str = "text\n") -> str:
        """A published topic branch with one commit, and dev is out again."""
        commit = self._begun(name, file, text)
        self.push(f"{name}:{name}")
        self.git("switch", "-q", "dev")
        return commit

    def merged(self, name: str, file: str, text: str = "text\n") -> None:
        """A topic branch that is in dev already."""
        commit = self._joined(name, "dev", self._begun(name, file, text))
        self.push(f"{name}:{name}", f"{commit}:refs/heads/dev")
        self.git("switch", "-q", "dev")

    def _begun(self, name: str, file: str, text: str) -> str:
        self.git("fetch", "-q", "origin")
        self.git("switch", "-qc", name, "--no-track", "origin/dev")
        return self.commit(file, text)

    def _joined(self, source: str, target: str, tip: str) -> str:
        tree = self.git("merge-tree", "--write-tree", f"origin/{target}", tip).split("\n")[0]
        parents = ("-p", f"origin/{target}", "-p", tip)
        return self.git("commit-tree", *parents, "-m", f"Merge {source} into {target}", tree)

    def out(self, lane: str) -> None:
        """The lane is out, as it is on the remote."""
        self.git("switch", "-q", lane)
        self.git("pull", "-q", "--ff-only", "origin", lane)

    def hook(self, name: str, script: str) -> None:
        """A hook of the remote."""
        path = self.bare / "hooks" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def copied(self, target: Path) -> "Clone":
        """The same once more; the remote's address is a relative one."""
        target.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cp", "-R", str(self.folder), str(self.bare), str(target)], check=True)
        return Clone(target / "work", target / "remote.git")


def copy_of(folder: Path, target: Path) -> None:
    """All that is in the folder."""
    target.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "-R", f"{folder}/.", str(target)], check=True)


def begun(home: Path) -> Clone:
    """The lanes begin at one commit; dev is out."""
    clone = Clone(home / "work", home / "remote.git")
    for place in (["--bare", str(clone.bare)], [str(clone.folder)]):
        subprocess.run(["git", "init", "-q", "-b", "main", *place], env=ENVIRONMENT, check=True)
    clone.commit("readme.md", "Something\n", "Begin")
    clone.git("remote", "add", "origin", "../remote.git")
    for lane in ("test", "dev"):
        clone.git("branch", "-q", lane)
    clone.push("main", "test", "dev")
    clone.git("fetch", "-q", "origin")
    clone.git("switch", "-q", "dev")
    return clone


def moved(clone: Clone, name: str) -> None:
    """Promote to the lane, which is out afterwards."""
    repository = clone.repository()
    promote(repository, plan_promotion(repository, {"test": TEST, "main": MAIN}[name]), merge=True)
    clone.out(name)


def on_test(clone: Clone, name: str = "feature/x") -> None:
    """Bring a new branch to test."""
    clone.merged(name, f"{name.partition('/')[2]}.txt")
    moved(clone, "test")


def released(clone: Clone, name: str, version: str | None = None) -> None:
    """Bring a new branch the whole way."""
    on_test(clone, name)
    tag_candidate(clone.repository(), version)
    moved(clone, "main")
    release(clone.repository())


def marked(clone: Clone) -> None:
    """The next candidate."""
    tag_candidate(clone.repository())


def released_first(clone: Clone) -> None:
    """feature/x is released as v0.1.0; main is out."""
    released(clone, "feature/x")


def to_main(clone: Clone) -> None:
    """What is on test goes to main."""
    moved(clone, "main")
