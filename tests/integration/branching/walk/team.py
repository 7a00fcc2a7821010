"""Three people with clones of their own, a forge that lets everything pass, and what each of them wrote."""

from copy import copy
from dataclasses import dataclass, field
from pathlib import Path

from genpulse.branching.errors import FlowError, Refusal
from tests.integration.branching.clones import copy_of
from tests.integration.branching.fake_forge.forge import FakeForge
from tests.integration.branching.fake_forge.people import Person, environment_of, person

NAMES = ("ann", "bob", "cid")


@dataclass
class Work:
    """A file that somebody wrote: its content's id says wherever it is."""

    author: str
    file: str
    blob: str


@dataclass
class Team:
    """`told` are the refusals that people saw and did not follow yet."""

    bare: Path
    forge: FakeForge
    people: dict[str, Person]
    observer: Person
    works: list[Work] = field(default_factory=list)
    told: list[tuple[str, Refusal]] = field(default_factory=list)
    verified: dict[str, str] = field(default_factory=dict)
    tampered: set[str] = field(default_factory=set)
    trace: list[str] = field(default_factory=list)

    def copied(self, target: Path) -> "Team":
        """The same team in another place, with all that was done until now."""
        copy_of(self.bare.parent, target)
        forge = self.forge.moved(target)
        people = {name: person.moved(target) for name, person in self.people.items()}
        copies = {name: copy(getattr(self, name)) for name in ("works", "told", "verified", "tampered", "trace")}
        return Team(forge.bare, forge, people, self.observer.moved(target), **copies)

    def write(self, who: Person, subject: str = "") -> str:
        """A commit with a file of its own, on whatever is out."""
        number = len(self.works)
        file = f"work{number}.txt"
        commit = who.commit(file, f"{who.name} wrote this as number {number}\n", subject or f"Write {file}")
        self.works.append(Work(who.name, file, who.git("rev-parse", f"HEAD:{file}")))
        return commit

    def tried(self, who: Person, what, *arguments, **options):
        """What a verb answers; None where it refuses, and the person has been told."""
        try:
            return what(*arguments, **options)
        except FlowError as error:
            self.told.append((who.name, error.refusal))
            self.trace.append(f"    refused: {error.refusal}")
            return None

    def push(self, who: Person, *arguments: str) -> bool:
        """Whether the remote took it."""
        done = who.shell(f"FLOW_AT_WORK=1 git push -q origin {' '.join(arguments)}")
        self.trace.append(f"    git push {' '.join(arguments)}: {done.returncode} {done.stderr.strip()[:200]}")
        return done.returncode == 0

    def topics(self, who: Person) -> list[str]:
        """The remote's topic branches."""
        who.fetch()
        refs = who.git(
            "for-each-ref", "--format=%(refname)", "refs/remotes/origin/feature", "refs/remotes/origin/fix"
        )
        return [ref.removeprefix("refs/remotes/origin/") for ref in refs.split()]

    def lost(self) -> list[Work]:
        """What no ref of the remote has and none of its author's clone."""
        there = set(self.forge.git("rev-list", "--objects", "--all", "--no-object-names").split())
        missing = [work for work in self.works if work.blob not in there]
        kept = {name: _objects(self.people[name]) for name in {work.author for work in missing}}
        return [work for work in missing if work.blob not in kept[work.author]]


def gathered(bare: Path) -> Team:
    """Everybody begins with the same empty lanes."""
    home = bare.parent
    people = {name: person(name, home / name, bare) for name in NAMES}
    forge = FakeForge(bare, "github", [], environment_of(home))
    (bare / "hooks" / "update").unlink()
    return Team(bare, forge, people, person("observer", home / "observer", bare))


def _objects(who: Person) -> set[str]:
    said = who.git("rev-list", "--objects", "--no-object-names", "--branches", "--tags", "--remotes", "HEAD")
    return set(said.split())
