"""The five kinds of branch: a closed table, and the only place that knows where each comes from and goes to."""

from dataclasses import dataclass, field
from typing import Literal

from genpulse.environment.table import DEVELOPMENT, LOCAL, PRODUCTION, TESTING, Environment

TagKind = Literal["candidate", "final"]


@dataclass(frozen=True, slots=True)
class Branch:
    """A row of the table. Two are equal when their `key` is: a team may call a lane otherwise.

    `key` is the model's own word for it. `pattern` is the name, or a prefix with `*` for many branches. `target`
    is where it is deployed and `environment` what it runs as. `starts_from` is the branch that it is cut from or
    filled by, `merges_into` the only one that accepts it (empty: none), `tags` what a tag on it means (None: it
    carries none).
    """

    key: str
    pattern: str = field(compare=False)
    purpose: str = field(compare=False)
    stability: str = field(compare=False)
    target: str = field(compare=False)
    environment: Environment = field(compare=False)
    starts_from: tuple[str, ...] = field(compare=False)
    merges_into: str = field(compare=False)
    tags: TagKind | None = field(compare=False)

    @property
    def is_lane(self) -> bool:
        """Whether it is one long-lived branch, not a family of short ones."""
        return not self.pattern.endswith("/*")

    @property
    def prefix(self) -> str:
        """How the names of a family begin; the name itself for a lane."""
        return self.pattern.removesuffix("*")


MAIN = Branch(
    key=PRODUCTION.branch,
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
    key=TESTING.branch,
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
    key="feature",
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
    key="fix",
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
    key=DEVELOPMENT.branch,
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
BOTS = (
    "all-contributors/",
    "autofix/",
    "changeset-release/",
    "claude/",
    "codex/",
    "copilot/",
    "create-pull-request/",
    "crowdin-",
    "cursor/",
    "dependabot/",
    "dependabot-",
    "depfu/",
    "devin/",
    "github-actions/",
    "greenkeeper/",
    "imgbot",
    "jules/",
    "l10n_",
    "mergify/",
    "pre-commit-ci-update-config",
    "pyup/",
    "pyup-",
    "release-please--",
    "release-please/",
    "renovate/",
    "renovate-",
    "snyk-",
    "sweep/",
    "transifex_",
    "weblate-",
    "whitesource/",
)
"""Branches of programs begin so, as these programs name them by themselves. They may only go into dev."""
PROMOTION = "promote/"
"""Branches for a promotion of less than all of dev begin so; the beginning of a commit's id follows."""
QUEUE = "gh-readonly-queue/"
"""A merge queue's own branches begin so; the name of the branch that the queue is for follows."""
