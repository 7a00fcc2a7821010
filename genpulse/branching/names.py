"""Which names a branch may have, and which of them cannot stand side by side."""

import re
from collections.abc import Iterable
from difflib import get_close_matches

from genpulse.branching.errors import Refusal
from genpulse.branching.table import BOTS, BRANCHES, LANES, TOPICS, Branch

_HEADS = "refs/heads/"
_SLUG = re.compile(r"[a-z0-9][a-z0-9._-]*")
_SLUG_RULE = "After feature/ or fix/ come a-z, 0-9, '.', '_' and '-', beginning with a letter or digit."
_LONGEST = 200
_FAMILIES = " or ".join(f"{topic.prefix}<name>" for topic in TOPICS)
_URGENT = ("hotfix", "emergency", "urgent")


def plain(ref: str) -> str:
    """The branch's name in `refs/heads/…`; any other text as it is."""
    return ref.removeprefix(_HEADS)


def kind_of(name: str) -> Branch | None:
    """The row that a branch of this name belongs to; None when the model has no such branch.

    A name that begins rightly and goes on wrongly (`feature/Übung`, `fix/`) belongs to none.
    """
    for row in BRANCHES:
        if row.is_lane and name == row.pattern:
            return row
        if not row.is_lane and name.startswith(row.prefix) and not slug_fault(name.removeprefix(row.prefix)):
            return row
    return None


def is_bot(name: str) -> bool:
    """Whether a program made the branch, by its name."""
    return name.startswith(BOTS)


def slug_fault(slug: str) -> str:
    """What is wrong with the part after `feature/` or `fix/`; empty when nothing is."""
    if not slug:
        return "the name is missing"
    if len(slug) > _LONGEST:
        return f"it has {len(slug)} characters, and {_LONGEST} are the most"
    if not _SLUG.fullmatch(slug):
        wrong = next((sign for sign in slug if not _SLUG.fullmatch(f"a{sign}")), slug[0])
        return f"{wrong!r} is not allowed {'there' if wrong != slug[0] else 'at the beginning'}"
    if ".." in slug:
        return "'..' means a range of commits to git"
    if slug.endswith("."):
        return "it ends with a dot"
    return "it ends with .lock, which git keeps for itself" if slug.endswith(".lock") else ""


def name_refusal(name: str, last_release: str = "") -> Refusal | None:
    """Why this cannot be the name of a new topic branch; None when it can.

    `last_release` is the tag to go back to, which a hurried person is told.
    """
    row = next((topic for topic in TOPICS if name.startswith(topic.prefix)), None)
    if row is not None:
        fault = slug_fault(name.removeprefix(row.prefix))
        better = f"genpulse flow start {row.prefix}{slug_of(name.removeprefix(row.prefix))}"
        return Refusal(_SLUG_RULE, f"{name!r}: {fault}.", better) if fault else None
    if name in {lane.pattern for lane in LANES}:
        rule = f"{name} is a lane; nobody works on it directly."
        return Refusal(rule, f"a new branch was to be called {name!r}.", "genpulse flow start feature/<name>")
    head, slash, rest = name.partition("/")
    slug = slug_of(rest if slash else name)
    if head.lower() in _URGENT:
        rule = f"{head}/… is not a branch type here. A fix for production starts from dev and passes test as well."
        mend = (
            f"genpulse flow start fix/{slug}\n"
            f"To end an incident now, redeploy {last_release or 'a tag of: genpulse flow release --list'}"
        )
        return Refusal(rule, f"{name!r}", mend)
    near = get_close_matches(head.lower(), ["feature", "fix"], n=1, cutoff=0.4) if slash else []
    mend = f"genpulse flow start {near[0] if near else 'feature'}/{slug}"
    return Refusal(f"A topic branch is called {_FAMILIES}.", f"{name!r} is not a branch type here.", mend)


def clashes(name: str, others: Iterable[str]) -> tuple[str, ...]:
    """The names that cannot exist beside this one, since git keeps `a` as a file and `a/b` in a folder."""
    return tuple(sorted(o for o in set(others) if o.startswith(f"{name}/") or name.startswith(f"{o}/")))


def is_reserved_for_branches(tag: str) -> bool:
    """Whether a tag of this name would be taken for a branch."""
    families = {topic.prefix.rstrip("/") for topic in TOPICS}
    lanes = {lane.pattern for lane in LANES}
    return tag in lanes | families or tag.partition("/")[0] in families | lanes


def slug_of(text: str) -> str:
    """The nearest that may stand after `feature/` or `fix/`; `<name>` when there is none."""
    slug = re.sub(r"[^a-z0-9._-]+", "-", text.lower().encode("ascii", "ignore").decode())
    slug = re.sub(r"\.{2,}", ".", slug).strip("-._").removesuffix(".lock").strip("-._")
    return slug[:_LONGEST] or "<name>"
