"""The stack that the clients are run against."""

import json
from dataclasses import dataclass
from pathlib import Path

from tests.acceptance.dev_stack import Dev


@dataclass(frozen=True, slots=True)
class Stack:
    """A running `genpulse dev`, at `url`, which runs in `folder`."""

    dev: Dev

    @property
    def url(self) -> str:
        """Where it is, without a slash at the end."""
        return self.dev.url

    @property
    def folder(self) -> Path:
        """Of the stack, for whatever a client writes."""
        return self.dev.folder

    def key(self, name: str, *options: str) -> str:
        """A new API key."""
        made = self.dev.genpulse("keys", "create", "--name", name, "--json", *options)
        assert made.returncode == 0, made.stderr
        key: str = json.loads(made.stdout)["key"]
        return key


@dataclass(frozen=True, slots=True)
class Environments:
    """Where the clients are installed: a folder each in `folder`; `node` is the program."""

    folder: Path
    node: Path

    def python(self, name: str) -> Path:
        """The Python of an environment."""
        return self.folder / name / "bin" / "python"

    def packages(self, name: str) -> Path:
        """The folder of JavaScript packages of this name: it has `node_modules`."""
        return self.folder / name
