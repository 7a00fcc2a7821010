"""Three people, a forge, and a repository in which `genpulse flow install` was run."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from genpulse.branching.files import plan
from tests.integration.branching.clones import copy_of
from tests.integration.branching.fake_forge.api import TOKEN, Api, over_ssh
from tests.integration.branching.fake_forge.forge import ROLES, FakeForge
from tests.integration.branching.fake_forge.people import Person, environment_of, person
from tests.integration.branching.fake_forge.updates import answered

ONE_FORGE = pytest.mark.parametrize("kind", ["github", pytest.param("gitlab", marks=pytest.mark.slow)])
"""For a story in which the forges differ by nothing but how a request is opened, which others tell of each."""


@dataclass(frozen=True)
class Company:
    """Ann administers the repository; Bob and Cid write."""

    forge: FakeForge
    people: dict[str, Person]

    @property
    def ann(self) -> Person:
        return self.people["ann"]

    @property
    def bob(self) -> Person:
        return self.people["bob"]

    @contextmanager
    def opened(self, home: Path) -> Iterator["Company"]:
        """The same company in another place, with all that was done until now."""
        copy_of(self.forge.bare.parent, home)
        forge = self.forge.moved(home)
        with answered(forge), Api(forge).answering() as api:
            over_ssh(forge.bare)
            reach = {"GITHUB_API_URL": api.url} if self.forge.kind == "github" else {}
            yield Company(forge, {name: one.moved(home, **reach) for name, one in self.people.items()})

    def merge(self, head: str, base: str, by: str = "ann", method: str = "merge") -> str:
        """Open the pull request and press the button."""
        return self.forge.merge(self.forge.open(head, base), by, method)


@contextmanager
def founded(bare: Path, kind: str, documents=None) -> Iterator[Company]:
    """Everybody's addresses are the forge's. `documents` are its rules where they are not the installed ones."""
    url = "git@gitlab.com:o/r.git" if kind == "gitlab" else "git@github.com:o/r.git"
    api = Api(FakeForge(bare, kind, [] if kind == "github" else _open(), environment_of(bare.parent)))
    reach = {"GIT_SSH_COMMAND": over_ssh(bare), "GIT_SSH_VARIANT": "ssh"}
    if kind == "github":
        reach |= {"GITHUB_API_URL": api.url, "GITHUB_TOKEN": TOKEN}
    people = {name: person(name, bare.parent / name, bare, url, **reach) for name in ROLES}
    api.forge.enforce(installed(people["ann"].folder, kind) if documents is None else documents)
    with answered(api.forge), api.answering():
        yield Company(api.forge, people)


def installed(folder: Path, kind: str):
    """The rules as the forge's own import takes them."""
    written = {file.path: json.loads(file.content) for file in plan(folder, kind) if file.path.endswith(".json")}
    if kind == "gitlab":
        return written[".gitlab/protection.json"]
    return [document for path, document in written.items() if path.startswith(".github/rulesets/")]


def _open():
    """GitLab before anything is protected."""
    project = {"merge_method": "merge", "squash_option": "default_off"}
    return {
        "protected_branches": [],
        "protected_tags": [],
        "project": {**project, "only_allow_merge_if_pipeline_succeeds": False},
    }
