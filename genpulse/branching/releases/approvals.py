"""Who approved a candidate, by annotated tags that the remote has.

An approval is called `approved/<candidate>/<who>` and marks the candidate's tag itself, so it is worth nothing for
any other. It is a person's word; a team that wants a proof asks for signatures.
"""

import re
from dataclasses import dataclass

from genpulse.branching.errors import GitFailed
from genpulse.branching.git.commits import printable
from genpulse.branching.git.repository import Repository
from genpulse.branching.rules.slugs import slug_of
from genpulse.branching.rules.versions import Version

FAMILY = "approved/"
_HERE = "refs/flow/"
"""Where approvals are kept here: they are not one's own tags."""
_TAGGER = re.compile(r"^tagger (?P<name>.*) <(?P<email>[^>]*)> (?P<when>\d+)", re.MULTILINE)
_OBJECT = re.compile(r"\Aobject (?P<object>[0-9a-f]+)\ntype tag\n")


@dataclass(frozen=True, slots=True)
class Person:
    """A person's name and email, as git knows them."""

    name: str
    email: str

    def is_same(self, other: "Person") -> bool:
        """Whether the two have one address."""
        return self.email.casefold() == other.email.casefold()

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>"


@dataclass(frozen=True, slots=True)
class CandidateApproval:
    """An approval: whose, its tag's id, and its words."""

    by: Person
    object: str
    words: str


def approval_name(version: Version, person: Person) -> str:
    """The name of the tag of a person's approval."""
    return f"{FAMILY}{version.tag}/{slug_of(person.email)}"


def approvals(repository: Repository, version: Version) -> tuple[CandidateApproval, ...]:
    """The approvals of a candidate by others than who tagged it. Raises `GitFailed`.

    The remote is asked for them, unless offline; what it does not have is none.
    """
    candidate = repository.refs.tags[version.tag].object
    author = tagger(repository, candidate)
    entries = (_approval(repository, object_, candidate) for object_ in _objects(repository, version))
    return tuple(each for each in entries if each and author and not each.by.is_same(author))


def is_signed_by_its_author(repository: Repository, approved: CandidateApproval) -> bool:
    """Whether its signature is good, and is that of the address that the approval names."""
    try:
        raw = repository.git("verify-tag", "--raw", "--", approved.object)
        text = repository.git("verify-tag", "--", approved.object)
    except GitFailed:
        return False
    return approved.by.email.casefold() in (raw.err + raw.out + text.err + text.out).casefold()


def tagger(repository: Repository, object_: str) -> Person | None:
    """Who made a tag; None for what is no annotated tag."""
    match = _TAGGER.search(_text(repository, object_).partition("\n\n")[0])
    return Person(printable(match["name"]), printable(match["email"])) if match else None


def _objects(repository: Repository, version: Version) -> tuple[str, ...]:
    prefix = f"{FAMILY}{version.tag}/"
    if repository.published is not None:
        there = {name: mark.object for name, mark in repository.published.tags.items() if name.startswith(prefix)}
        if there:
            specs = [f"+refs/tags/{name}:{_HERE}{name}" for name in there]
            repository.git.remotely("fetch", "--quiet", "--no-tags", "--", repository.remote, *specs)
        return tuple(there.values())
    return tuple(repository.git("for-each-ref", "--format=%(objectname)", f"{_HERE}{prefix}").out.split())


def _approval(repository: Repository, object_: str, candidate: str) -> CandidateApproval | None:
    text = _text(repository, object_)
    head, _, words = text.partition("\n\n")
    marks, person = _OBJECT.match(head), tagger(repository, object_)
    if marks is None or person is None or marks["object"] != candidate:
        return None
    return CandidateApproval(person, object_, words.partition("-----BEGIN")[0].strip())


def _text(repository: Repository, object_: str) -> str:
    output = repository.git("cat-file", "tag", object_, ok=(0, 1, 128))
    return output.out if output.code == 0 else ""
