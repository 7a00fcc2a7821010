"""The names that a branch may have, and those that cannot exist beside each other."""

import re
from collections.abc import Iterable
from difflib import get_close_matches

from genpulse.branching.codes import Code
from genpulse.branching.errors import Refusal
from genpulse.branching.rules.policy import DEFAULT, Policy
from genpulse.branching.rules.slugs import SLUG_RULE, slug_fault, slug_of
from genpulse.branching.rules.table import BOTS, FEATURE, FIX, LANES, TOPICS, Branch

_HEADS = "refs/heads/"
_FAMILIES = " or ".join(f"{topic.prefix}<name>" for topic in TOPICS)
_URGENT = ("hotfix", "emergency", "urgent")
_BUTTONS = re.compile(
    r"revert-\d+-.+"  # GitHub's Revert: revert-<number of the pull request>-<its branch>
    r"|(?:revert|cherry-pick)-[0-9a-f]{4,40}"  # GitLab's Revert and Cherry-pick: the commit's id
    r"|(?:[A-Za-z0-9][A-Za-z0-9._-]*-)?patch-\d+"  # the web editors: patch-1, <user>-patch-1, main-patch-12345
)
"""Branches that a forge's own buttons make, by the names that they have by themselves. They are fixes."""


def plain(ref: str) -> str:
    """The branch's name in `refs/heads/…`; any other text as it is."""
    return ref.removeprefix(_HEADS)


def kind_of(name: str, policy: Policy = DEFAULT) -> Branch | None:
    """The row that a branch of this name belongs to; None when the model has no such branch.

    A name that begins rightly and goes on wrongly (`feature/Übung`, `fix/`) belongs to none. What a forge's button
    makes is a fix; what the team lets into dev besides is like a feature.
    """
    lane = policy.lane_named(name)
    if lane is not None or policy.is_ignored(name):
        return lane
    for row in TOPICS:
        if name.startswith(row.prefix):
            return policy.row(row) if not slug_fault(name.removeprefix(row.prefix)) else None
    if _BUTTONS.fullmatch(name):
        return policy.row(FIX)
    return policy.row(FEATURE) if policy.is_allowed_topic(name) else None


def is_bot(name: str, policy: Policy = DEFAULT) -> bool:
    """Whether a program made the branch, by its name."""
    return name.startswith(BOTS) or policy.is_allowed_bot(name)


def name_refusal(name: str, last_release: str = "", policy: Policy = DEFAULT) -> Refusal | None:
    """Why this cannot be the name of a new topic branch; None when it can.

    `last_release` is the tag to go back to, which a hurried person is told.
    """
    row = next((topic for topic in TOPICS if name.startswith(topic.prefix)), None)
    if row is not None:
        fault = slug_fault(name.removeprefix(row.prefix))
        if not fault:
            return None
        better = _started(row.prefix, slug_of(name.removeprefix(row.prefix)))
        return _proposed("name_malformed", SLUG_RULE, f"{name!r}: {fault}.", better)
    if policy.lane_named(name):
        rule = f"{name} is a lane; nobody works on it directly."
        finding = f"a new branch was to be called {name!r}."
        return _proposed("name_is_lane", rule, finding, "genpulse flow start feature/<name>")
    return None if policy.is_allowed_topic(name) else _unknown(name, last_release)


def _unknown(name: str, last_release: str) -> Refusal:
    head, slash, rest = name.partition("/")
    slug = slug_of(rest if slash else name)
    if head.lower() in _URGENT:
        rule = f"{head}/… is not a branch type here. A fix for production starts from dev and passes test as well."
        note = f"To end an incident now, redeploy {last_release or 'a tag of: genpulse flow release --list'}"
        return _proposed("name_not_in_model", rule, f"{name!r}", _started(FIX.prefix, slug), note)
    near = get_close_matches(head.lower(), ["feature", "fix"], n=1, cutoff=0.4) if slash else []
    rule, finding = f"A topic branch is called {_FAMILIES}.", f"{name!r} is not a branch type here."
    return _proposed("name_not_in_model", rule, finding, _started(f"{near[0] if near else 'feature'}/", slug))


def clashes(name: str, others: Iterable[str]) -> tuple[str, ...]:
    """The names that cannot exist beside this one.

    Git keeps `a` as a file and `a/b` in a folder; and where file names are the same in small and capital letters
    (macOS, Windows), so are names of branches.
    """
    low = name.lower()
    return tuple(sorted(other for other in set(others) if other != name and _clash(low, other.lower())))


def _clash(name: str, other: str) -> bool:
    return name == other or other.startswith(f"{name}/") or name.startswith(f"{other}/")


def is_reserved_for_branches(tag: str, policy: Policy = DEFAULT) -> bool:
    """Whether a tag of this name would be taken for a branch."""
    families = {topic.prefix.rstrip("/") for topic in TOPICS}
    lanes = {lane.pattern for lane in (*LANES, *policy.lanes)}
    return tag in lanes | families or tag.partition("/")[0] in families | lanes


def _started(prefix: str, slug: str) -> str:
    return f"genpulse flow start {prefix}{slug}"


def _proposed(code: Code, rule: str, finding: str, mend: str, note: str = "") -> Refusal:
    """With the command as a mend, or in words where a person has to think of a name."""
    if "<" not in mend:
        return Refusal(code, rule, finding, (mend,), note)
    return Refusal(code, rule, finding, (), f"{mend}\n{note}".strip())
