"""Rules for the forge, as documents that its own import takes.

GitHub: what `POST /repos/{owner}/{repo}/rulesets` takes (docs.github.com, REST API, repository rules). A ruleset
cannot say from which branch a pull request may come; the check `flow-check` does. In patterns `*`, and `**` at the
end, stay within one part of a name; `**/` stands for any number of parts.
"""

from collections.abc import Sequence

from genpulse.branching.rules.policy import DEFAULT, Policy
from genpulse.branching.rules.table import BOTS, DEV, MAIN, PROMOTION, QUEUE, TEST, TOPICS, Branch
from genpulse.domain.json.value import JsonObject

CHECK = "flow-check"
_BUTTONS = tuple(f"refs/heads/{name}" for name in ("revert-*", "revert-*/**/*", "cherry-pick-*", "*patch-*"))
"""What the buttons of forges make; a pattern cannot say digits, the check looks closer."""
_ADMINISTRATOR = 5
_RELEASER: JsonObject = {"actor_id": _ADMINISTRATOR, "actor_type": "RepositoryRole", "bypass_mode": "always"}


def github_rulesets(policy: Policy = DEFAULT) -> dict[str, JsonObject]:
    """The rulesets by the names of their files."""
    lanes = [f"refs/heads/{row.pattern}" for row in policy.lanes]
    promoted = [f"refs/heads/{row.pattern}" for row in policy.lanes if row in (TEST, MAIN)]
    checks: JsonObject = {
        "strict_required_status_checks_policy": False,
        "required_status_checks": [{"context": CHECK}],
    }
    guarded: list[JsonObject] = [
        {"type": "deletion"},
        {"type": "non_fast_forward"},
        {"type": "pull_request", "parameters": _pull_request("merge", "squash", "rebase")},
        {"type": "required_status_checks", "parameters": checks},
    ]
    merged: list[JsonObject] = [{"type": "pull_request", "parameters": _pull_request("merge")}]
    tags: list[JsonObject] = [{"type": "creation"}, {"type": "update"}, {"type": "deletion"}]
    return {
        "branches": _ruleset("flow: lanes", "branch", lanes, [], guarded),
        "promotion": _ruleset("flow: promotions are merge commits", "branch", promoted, [], merged),
        "tags": _ruleset("flow: version tags", "tag", ["refs/tags/v*"], [], tags, releaser=True),
        "approvals": _ruleset(
            "flow: approvals", "tag", ["refs/tags/approved/**/*"], [], [{"type": "update"}, {"type": "deletion"}]
        ),
        "names": _ruleset(
            "flow: names of branches",
            "branch",
            ["~ALL"],
            [*lanes, *_allowed_names(policy)],
            [{"type": "creation"}],
        ),
    }


def github_environments(policy: Policy = DEFAULT) -> JsonObject:
    """What `PUT /repos/{owner}/{repo}/environments/{name}` and its deployment branch policies take."""
    custom = {"protected_branches": False, "custom_branch_policies": True}
    return {
        row.environment.dynaconf: {
            "environment": {"deployment_branch_policy": custom},
            "deployment_branch_policies": _deployed_from(row),
        }
        for row in policy.lanes
    }


def _deployed_from(row: Branch) -> list[JsonObject]:
    """Production gets releases, and testing candidates as well; a pattern cannot leave candidates out."""
    branch: JsonObject = {"name": row.pattern, "type": "branch"}
    if row == MAIN:
        return [{"name": "v*.*.*", "type": "tag"}]
    return [branch, {"name": "v*.*.*-rc.*", "type": "tag"}] if row == TEST else [branch]


def gitlab_protection(policy: Policy = DEFAULT) -> JsonObject:
    """What GitLab's APIs of protected branches, protected tags and projects take.

    Squashing is a choice of the whole project there, and a squashed promotion would part the lanes for good.
    """
    nobody, maintainers = 0, 40
    return {
        "protected_branches": [
            {"name": row.pattern, "push_access_level": nobody, "merge_access_level": maintainers}
            for row in policy.lanes
        ],
        "protected_tags": [{"name": "v*", "create_access_level": maintainers}],
        "project": {
            "merge_method": "merge",
            "squash_option": "never",
            "only_allow_merge_if_pipeline_succeeds": True,
            "default_branch": policy.row(DEV).pattern,
        },
    }


def _pull_request(*methods: str) -> JsonObject:
    return {
        "allowed_merge_methods": list(methods),
        "dismiss_stale_reviews_on_push": False,
        "require_code_owner_review": False,
        "require_last_push_approval": False,
        "required_approving_review_count": 0,
        "required_review_thread_resolution": False,
    }


def _ruleset(
    name: str,
    target: str,
    include: Sequence[str],
    exclude: Sequence[str],
    rules: Sequence[JsonObject],
    *,
    releaser: bool = False,
) -> JsonObject:
    return {
        "name": name,
        "target": target,
        "enforcement": "active",
        "bypass_actors": [_RELEASER] if releaser else [],
        "conditions": {"ref_name": {"include": include, "exclude": exclude}},
        "rules": rules,
    }


def _allowed_names(policy: Policy) -> list[str]:
    """Those of people, of programs, of a merge queue and of the forge's buttons, with any number of parts."""
    prefixes = (*(row.prefix for row in TOPICS), *BOTS, PROMOTION, QUEUE)
    return [
        *(f"refs/heads/{pattern}" for prefix in prefixes for pattern in _below(prefix)),
        *_BUTTONS,
        *_decided(policy),
    ]


def _decided(policy: Policy) -> list[str]:
    """What the team allows besides; `*` of a setting goes across parts, that of a ruleset does not."""
    patterns = (*policy.ignore, *policy.bots, *policy.into_dev)
    deep = (pattern.removesuffix("*") + "**/*" for pattern in patterns if pattern.endswith("/*"))
    return [f"refs/heads/{pattern}" for pattern in (*patterns, *deep)]


def _below(prefix: str) -> tuple[str, ...]:
    return (f"{prefix}**/*",) if prefix.endswith("/") else (f"{prefix}*", f"{prefix}*/**/*")
