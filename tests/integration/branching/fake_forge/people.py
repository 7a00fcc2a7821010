"""People with clones of their own of one remote."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from genpulse.branching.git.repository import Repository
from tests import flow_command
from tests.integration.branching.clones import ENVIRONMENT

ROOT = Path(__file__).parents[4]


@dataclass(frozen=True)
class Person:
    """Somebody with a clone; `environment` says to git and to the forge who that is."""

    name: str
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    def git(self, *arguments: str, ok=(0,), variables: Mapping[str, str] | None = None) -> str:
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.folder,
            env={**self.environment, **(variables or {})},
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode in ok, f"git {' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def shell(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run what a message told to run, word for word."""
        return flow_command.typed(command, self.folder, self.environment)

    def flow(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """`genpulse flow`, as this person."""
        return self.shell(" ".join(["genpulse", "flow", *arguments]))

    def moved(self, home: Path, **environment: str) -> "Person":
        """The same person where everything was copied to another place."""
        old, new = str(self.folder.parent), str(home)
        there = {name: value.replace(old, new) for name, value in self.environment.items()}
        return Person(self.name, home / self.folder.name, {**there, **environment})

    def repository(self, *, offline: bool = False) -> Repository:
        return Repository(self.folder, self.environment, offline=offline)

    def commit(self, file: str, text: str = "text\n", subject: str = "", *, seconds_ago: int = 0) -> str:
        path = self.folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        self.git("add", "--", file)
        moment = f"@{int(time.time()) - seconds_ago}"
        dated = {"GIT_AUTHOR_DATE": moment, "GIT_COMMITTER_DATE": moment} if seconds_ago else {}
        self.git("commit", "-qm", subject or f"Change {file}", variables=dated)
        return self.git("rev-parse", "HEAD")

    def fetch(self) -> None:
        """All that the remote has, and nothing else of its branches; tags of one's own stay."""
        self.git("fetch", "-q", "--prune", "--tags", "--force", "origin")

    def on(self, name: str, start: str = "") -> None:
        """The branch is out, as it is on the remote or at `start`."""
        self.git("switch", "-qC", name, "--no-track", start or f"origin/{name}")


def person(name: str, folder: Path, bare: Path, url: str = "", **environment: str) -> Person:
    """A person with a fresh clone."""
    who = {
        **ENVIRONMENT,
        "PATH": f"{_programs(bare.parent)}:{ENVIRONMENT['PATH']}",
        "PYTHONPATH": str(ROOT),
        "HOME": str(bare.parent),
        "GIT_MERGE_AUTOEDIT": "no",
        "GIT_EDITOR": "true",
        "FORGE_ACTOR": name,
        **{f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in _identity(name)},
        **environment,
    }
    subprocess.run(["git", "clone", "-q", url or str(bare), str(folder)], env=who, check=True, capture_output=True)
    found = Person(name, folder, who)
    if not url:
        found.git("remote", "set-url", "origin", f"../{bare.name}")
    for key, value in _identity(name):
        found.git("config", f"user.{key.lower()}", value)
    found.on("dev")
    return found


def _identity(name: str) -> tuple[tuple[str, str], ...]:
    return ("NAME", name.capitalize()), ("EMAIL", f"{name}@example.org")


def _programs(home: Path) -> Path:
    """A folder with `genpulse`, which is this very tree."""
    folder = home / "programs"
    folder.mkdir(exist_ok=True)
    program = folder / "genpulse"
    if not program.exists():
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m genpulse "$@"\n')
        program.chmod(0o755)
    return folder


def environment_of(home: Path) -> dict[str, str]:
    """What a server's own git runs with."""
    return {**ENVIRONMENT, "HOME": os.fspath(home)}
