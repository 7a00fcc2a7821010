"""A clone that a whole team works in, by the commands that people type."""

import subprocess
import sys
from pathlib import Path

from tests import flow_command
from tests.integration.branching.clones import ENVIRONMENT, Clone

ROOT = Path(__file__).parents[2]


class Team(Clone):
    """Its `flow` is that of this process; `started` is one of its own."""

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return flow_command.run(["flow", *arguments], self.folder, {**ENVIRONMENT, **environment})

    def started(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "genpulse", "flow", *arguments],
            cwd=self.folder,
            env={**ENVIRONMENT, "PYTHONPATH": str(ROOT), **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def flow(self, *arguments: str, **environment: str) -> str:
        done = self.run(*arguments, **environment)
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout

    def refused(self, *arguments: str, **environment: str) -> str:
        """Standard error of a command that is refused: rule, what was found, what mends it; nothing is changed."""
        before = self._shared()
        done = self.run(*arguments, **environment)
        assert done.returncode == 1, done.stderr + done.stdout
        assert "found: " in done.stderr
        assert "mend:  " in done.stderr
        assert before == self._shared()
        return done.stderr

    def work(self, name: str, file: str, text: str) -> None:
        """A branch from its start to dev."""
        self.flow("start", name)
        self.commit(file, text)
        self.flow("finish", "--merge")

    def tree(self, ref: str) -> str:
        return self.git("rev-parse", f"{ref}^{{tree}}")

    def _shared(self) -> tuple[str, str]:
        there = self.git("--git-dir", str(self.bare), "for-each-ref") if self.bare.exists() else ""
        return self.git("for-each-ref", "refs/heads", "refs/tags"), there


def of(clone: Clone) -> Team:
    """The team of this clone."""
    return Team(clone.folder, clone.bare)


def version_1(clone: Clone) -> None:
    """v1.0.0 is released, by the commands of the flow alone."""
    team = of(clone)
    team.work("feature/queue", "queue.py", "one\n")
    team.flow("promote", "test", "--merge")
    team.flow("rc", "--version", "1.0.0")
    team.flow("promote", "main", "--merge")
    team.flow("release")
