"""The five kinds of branch: a closed table, and the only place that knows where each comes from and goes to."""

from dataclasses import dataclass
from typing import Literal

from genpulse.environment.table import DEVELOPMENT, LOCAL, PRODUCTION, TESTING, Environment

TagKind = Literal["candidate", "final"]


@dataclass(frozen=True, slots=True)
class Branch:
    """A row of the table.

    `pattern` is the name, or a prefix with `*` for many branches. `target` is where it is deployed and
    `environment` what it runs as. `starts_from` is the branch that it is cut from or filled by, `merges_into` the
    only one that accepts it (empty: none), `tags` what a tag on it means (None: it carries none).
    """

    pattern: str
    purpose: str
    stability: str
    target: str
    environment: Environment
    starts_from: tuple[str, ...]
    merges_into: str
    tags: TagKind | None

    @property
    def is_lane(self) -> bool:
        """Whether it is one long-lived branch, not a family of short ones."""
        return not self.pattern.endswith("/*")

    @property
    def prefix(self) -> str:
        """How the names of a family begin; the name itself for a lane."""
        return self.pattern.removesuffix("*")


MAIN = Branch(
    pattern=PRODUCTION.branch,
    purpose="Production release",
    stability="Highest (Verified tags)",
    target=PRODUCTION.target,
    environment=PRODUCTION,
    starts_from=(TESTING.branch,),
    merges_into="",
    tags="final",
)
TEST = Branch(
    pattern=TESTING.branch,
    purpose="Pre-release testing",
    stability="High (Release candidates)",
    target=TESTING.target,
    environment=TESTING,
    starts_from=(DEVELOPMENT.branch,),
    merges_into=MAIN.pattern,
    tags="candidate",
)
FEATURE = Branch(
    pattern="feature/*",
    purpose="New features",
    stability="Low (In progress)",
    target="Local Dev",
    environment=LOCAL,
    starts_from=(DEVELOPMENT.branch,),
    merges_into=DEVELOPMENT.branch,
    tags=None,
)
FIX = Branch(
    pattern="fix/*",
    purpose="Bug fixes",
    stability="Low (In progress)",
    target="Local Dev",
    environment=LOCAL,
    starts_from=(DEVELOPMENT.branch,),
    merges_into=DEVELOPMENT.branch,
    tags=None,
)
DEV = Branch(
    pattern=DEVELOPMENT.branch,
    purpose="Active development",
    stability="Medium (Feature-complete)",
    target=DEVELOPMENT.target,
    environment=DEVELOPMENT,
    starts_from=(FEATURE.pattern, FIX.pattern),
    merges_into=TEST.pattern,
    tags=None,
)

BRANCHES = (MAIN, TEST, DEV, FEATURE, FIX)
LANES = (DEV, TEST, MAIN)
"""In the order in which a change passes them."""
TOPICS = (FEATURE, FIX)
BOTS = ("dependabot/", "renovate/", "release-please--")
"""Branches of programs begin so. They may only go into dev."""
QUEUE = "gh-readonly-queue/"
"""A merge queue's own branches begin so; the name of the branch that the queue is for follows."""
