"""Whether somebody may change a ref, by the documents that `genpulse flow install` writes.

GitHub: a ruleset holds for the refs that its patterns name; an actor that may bypass it is not held by it; every
rule that applies has to agree (docs.github.com, available rules for rulesets). GitLab: protected branches and tags
by level of access (docs.gitlab.com, protected branches, protected tags).
"""

import os
import re

NOTHING = "0" * 40
_ADMINISTRATOR = 5
_LEVELS = {"maintainer": 40, "administrator": 40, "developer": 30}


class Change:
    """A ref's change. `method` is how a pull request is merged, empty for a push; `green`: checks that passed."""

    def __init__(self, ref, old, new, *, forced=False, method="", green=()):
        self.ref, self.old, self.new = ref, old, new
        self.forced, self.method, self.green = forced, method, green

    @property
    def creates(self):
        return self.old == NOTHING

    @property
    def deletes(self):
        return self.new == NOTHING


def refused(documents, kind, role, change):
    """Why a forge of this kind does not take the change; empty when it does."""
    judge = _by_gitlab if kind == "gitlab" else _by_github
    return judge(documents, role, change)


def matches(pattern, ref):
    """As GitHub matches: `**/` is any number of parts, any other star stays within one."""
    if pattern == "~ALL":
        return True
    parts = re.split(r"(\*\*/|\*+)", pattern)
    text = "".join(
        "(?:[^/]+/)*" if part == "**/" else "[^/]*" if part.startswith("*") else re.escape(part) for part in parts
    )
    return re.fullmatch(text, ref) is not None


def _by_github(rulesets, role, change):
    for ruleset in rulesets:
        if ruleset["enforcement"] != "active" or not _holds(ruleset, change.ref) or _bypassed(ruleset, role):
            continue
        for rule in ruleset["rules"]:
            if why := _GITHUB[rule["type"]](rule.get("parameters", {}), change):
                return f"GH013: Repository rule violations found for {change.ref}. {why}"
    return ""


def _holds(ruleset, ref):
    kind = "refs/tags/" if ruleset["target"] == "tag" else "refs/heads/"
    names = ruleset["conditions"]["ref_name"]
    return (
        ref.startswith(kind)
        and any(matches(pattern, ref) for pattern in names["include"])
        and not any(matches(pattern, ref) for pattern in names["exclude"])
    )


def _bypassed(ruleset, role):
    return role == "administrator" and any(
        actor["actor_type"] == "RepositoryRole" and actor["actor_id"] == _ADMINISTRATOR
        for actor in ruleset["bypass_actors"]
    )


def _pull_request(parameters, change):
    if change.creates or change.deletes:
        return ""
    if not change.method:
        return "Changes must be made through a pull request."
    return "" if change.method in parameters["allowed_merge_methods"] else f"{change.method} is not allowed here."


def _checks(parameters, change):
    wanted = {check["context"] for check in parameters["required_status_checks"]}
    missing = wanted - set(change.green)
    if change.creates or change.deletes or not missing:
        return ""
    return f"Required status check {', '.join(sorted(missing))} is expected."


_GITHUB = {
    "creation": lambda _, change: "Cannot create ref due to creations being restricted." if change.creates else "",
    "update": lambda _, change: (
        "Cannot update this protected ref." if not (change.creates or change.deletes) else ""
    ),
    "deletion": lambda _, change: "Cannot delete this branch" if change.deletes else "",
    "non_fast_forward": lambda _, change: "Cannot force-push to this branch" if change.forced else "",
    "pull_request": _pull_request,
    "required_status_checks": _checks,
}


def _by_gitlab(document, role, change):
    level = _LEVELS.get(role, 0)
    if change.ref.startswith("refs/tags/"):
        name = change.ref.removeprefix("refs/tags/")
        for row in document["protected_tags"]:
            if matches(row["name"], name) and (level < row["create_access_level"] or not change.creates):
                return "GitLab: You are not allowed to change existing tags as they are protected."
        return ""
    name = change.ref.removeprefix("refs/heads/")
    for row in document["protected_branches"]:
        if not matches(row["name"], name):
            continue
        allowed = row["merge_access_level"] if change.method else row["push_access_level"]
        if allowed == 0 or level < allowed:
            return "GitLab: You are not allowed to push code to protected branches on this project."
        if change.forced or change.deletes:
            return "GitLab: You are not allowed to force push code to a protected branch on this project."
    return _merge_by_gitlab(document["project"], change)


def _merge_by_gitlab(project, change):
    if not change.method:
        return ""
    allowed = {"merge": "merge", "rebase_merge": "rebase", "ff": "fast-forward"}[project["merge_method"]]
    if change.method == "squash" and project["squash_option"] == "never":
        return "Squashing is off in this project."
    if change.method not in {allowed, "squash"}:
        return f"This project merges by {allowed}."
    if project["only_allow_merge_if_pipeline_succeeds"] and "flow-check" not in change.green:
        return "The pipeline must succeed."
    return ""


def is_rewritten(folder, old, new):
    """Whether the new commit has left the old one behind."""
    command = ["git", "-C", str(folder), "merge-base", "--is-ancestor", old, new]
    asked = os.posix_spawnp("git", command, os.environ)
    return os.waitstatus_to_exitcode(os.waitpid(asked, 0)[1]) == 1
