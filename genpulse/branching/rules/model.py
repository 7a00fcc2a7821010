"""The rules of the branching model, without any input or output."""

from genpulse.branching.releases.releasable import may_release
from genpulse.branching.rules.merges import RuleVerdict, allowed, is_foreign, may_be_called
from genpulse.branching.rules.names import is_bot, is_reserved_for_branches, kind_of, plain
from genpulse.branching.rules.slugs import slug_fault
from genpulse.branching.rules.table import BRANCHES, LANES, Branch
from genpulse.branching.rules.versions import Version, next_candidate, version_of
from genpulse.environment.table import Environment

__all__ = [
    "BRANCHES",
    "RuleVerdict",
    "allowed",
    "environment_of",
    "home_of",
    "is_bot",
    "is_foreign",
    "is_reserved_for_branches",
    "kind_of",
    "may_be_called",
    "may_release",
    "next_candidate",
    "slug_fault",
]

_TAGS = "refs/tags/"


def environment_of(ref: str) -> Environment | None:
    """The environment that a branch or version tag belongs to; None for anything else.

    `refs/tags/…` is a tag and `refs/heads/…` a branch; a bare name is a branch when the model has such a branch.
    """
    row = None if ref.startswith(_TAGS) else kind_of(plain(ref))
    if row is not None:
        return row.environment
    version = None if ref.startswith("refs/heads/") else version_of(ref.removeprefix(_TAGS))
    return home_of(version).environment if version else None


def home_of(version: Version) -> Branch:
    """The lane on which a version of this kind is tagged."""
    kind = "final" if version.candidate is None else "candidate"
    return next(row for row in LANES if row.tags == kind)
