"""The file `.flow.toml`: what may stand in it, and which of its many versions counts.

It counts as it is committed to dev on the remote, for every command and every branch. A topic that changes it is
judged by the file that it wants to change, so it cannot allow itself to be merged; and nobody's own settings of
git decide for the team. What dev is called is told by the merge check's workflow, which is guarded itself
(`trunk`). Without that it is asked of the branches that a server guards, in a fixed order: the remote's default
branch as this clone knows it, then the usual names. The first that has the file says what dev is called, and dev
has to say the same.

A repository that has neither the file on such a branch nor a branch dev is one that is being adopted. There is
nothing to guard yet, so the file of the commit that is checked out counts.
"""

import tomllib
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import get_args

from genpulse.branching.errors import PolicyBroken
from genpulse.branching.git.process import Git
from genpulse.branching.rules.policy import DEFAULT, VERSION_FILES, Approval, ApprovedBy, LaneNames, Policy
from genpulse.branching.rules.slugs import slug_fault
from genpulse.branching.rules.table import DEV, LANES, MAIN, TOPICS
from genpulse.branching.rules.versions import Version, version_of
from genpulse.environment.table import DEVELOPMENT

FILE = ".flow.toml"
_ANCHORS = (DEV.pattern, "develop", DEVELOPMENT.dynaconf, "trunk", MAIN.pattern, "master")
_KEYS = ("ignore", "bots", "into_dev", "baseline", "signed_since", "declared_in", "approval", "lanes")
_LANES = tuple(lane.key for lane in LANES)


def read_policy(git: Git, remote: str, branches: Mapping[str, str], default: str, trunk: str = "") -> Policy:
    """The policy that counts. `branches` are those of the remote, by name, with their commits.

    `default` is the one of them that the remote puts first, or empty. `trunk` is dev's name, where
    somebody who is trusted said it. Raises `PolicyBroken`, `GitFailed`.
    """
    if trunk:
        return _of_trunk(git, remote, branches, trunk)
    anchors = [name for name in dict.fromkeys((default, *_ANCHORS)) if name in branches]
    for name in anchors:
        text = _text(git, branches[name])
        if text is not None:
            return _of_dev(git, remote, branches, name, text)
    here = None if DEV.pattern in branches else _text_here(git)
    return DEFAULT if here is None else parse(here, "of the commit that is checked out")


def policy_at(git: Git, commit: str) -> Policy | None:
    """The policy in the file of one commit; None where it has none. Raises `PolicyBroken`, `GitFailed`."""
    text = _text(git, commit)
    return None if text is None else parse(text, f"of {commit[:9]}")


def parse(text: str, where: str = "") -> Policy:
    """The policy that a file of this content states. `where` says which file it is. Raises `PolicyBroken`."""
    place = f"{FILE} {where}".strip()
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _broken(place, f"it is no TOML: {error}.") from error
    _demand_known(place, "", document, _KEYS)
    names = _names(place, document.get("lanes", {}))
    policy = Policy(
        ignore=_patterns(place, document, "ignore"),
        bots=_patterns(place, document, "bots"),
        into_dev=_patterns(place, document, "into_dev"),
        baseline=_version(place, document, "baseline"),
        signed_since=_version(place, document, "signed_since"),
        approval=_approval(place, document.get("approval")),
        declared_in=_version_files(place, document),
        names=names,
    )
    _demand_narrow(place, policy)
    return policy


def _of_trunk(git: Git, remote: str, branches: Mapping[str, str], trunk: str) -> Policy:
    text = _text(git, branches[trunk]) if trunk in branches else None
    if text is None:
        return Policy(names=LaneNames(dev=trunk))
    policy = parse(text, f"on {remote}/{trunk}")
    if policy.names.dev != trunk:
        finding = f"it says that dev is called {policy.names.dev}, and it was asked for as {trunk}."
        raise _broken(f"{FILE} on {remote}/{trunk}", finding)
    return policy


def _of_dev(git: Git, remote: str, branches: Mapping[str, str], name: str, text: str) -> Policy:
    policy = parse(text, f"on {remote}/{name}")
    dev = policy.names.dev
    if dev == name or dev not in branches:
        return policy
    text_of_dev = _text(git, branches[dev])
    if text_of_dev is None:
        return Policy(names=policy.names)
    of_dev = parse(text_of_dev, f"on {remote}/{dev}")
    if of_dev.names.dev != dev:
        finding = f"it says that dev is called {dev}, and on {remote}/{dev} it says {of_dev.names.dev}."
        raise _broken(f"{FILE} on {remote}/{name}", finding)
    return of_dev


def _text(git: Git, commit: str) -> str | None:
    """None where the commit does not have the file; what git cannot read is not taken for that."""
    row = git.lasting("ls-tree", "-z", "--full-tree", commit, "--", FILE).out
    return git.lasting("cat-file", "blob", row.split("\t")[0].split(" ")[2]).out if row else None


def _text_here(git: Git) -> str | None:
    head = git("rev-parse", "--verify", "--quiet", "HEAD^{commit}", ok=(0, 1, 128)).line
    return _text(git, head) if head else None


def _demand_known(place: str, table: str, document: Mapping[str, object], names: Sequence[str]) -> None:
    for key in document:
        if key not in names:
            near = get_close_matches(key, names, n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            where = f" in [{table}]" if table else ""
            raise _broken(place, f"{key!r}{where} is no setting; there are {', '.join(names)}.{hint}")


def _table(place: str, key: str, value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise _broken(place, f"{key} is {_quoted(value)}; it has to be a table, [{key}].")
    return value


def _patterns(place: str, document: Mapping[str, object], key: str) -> tuple[str, ...]:
    value = document.get(key, [])
    if not isinstance(value, list) or not all(isinstance(each, str) and each for each in value):
        example = f'{key} = ["name", "family/*"]'
        raise _broken(place, f"{key} is {_quoted(value)}; it has to be a list of patterns: {example}.")
    return tuple(value)


def _version_files(place: str, document: Mapping[str, object]) -> tuple[str, ...]:
    paths = _patterns(place, document, "declared_in") if "declared_in" in document else VERSION_FILES
    for path in paths:
        if path.rpartition("/")[2] not in VERSION_FILES or path.startswith(("/", ":")) or ".." in path.split("/"):
            finding = f"{path!r} in declared_in is no path to one of {', '.join(VERSION_FILES)}."
            raise _broken(place, finding)
    return paths


def _version(place: str, document: Mapping[str, object], key: str) -> Version | None:
    value = document.get(key)
    if value is None:
        return None
    version = version_of(f"v{value.removeprefix('v')}") if isinstance(value, str) else None
    if version is None or version.candidate is not None:
        raise _broken(place, f'{key} is {_quoted(value)}; it has to be a release: {key} = "v1.2.3".')
    return version


def _approval(place: str, value: object) -> Approval | None:
    if value is None:
        return None
    table = _table(place, "approval", value)
    _demand_known(place, "approval", table, ("by", "status"))
    kinds: tuple[ApprovedBy, ...] = get_args(ApprovedBy)
    by = next((kind for kind in kinds if kind == table.get("by")), None)
    if by is None:
        finding = f"by in [approval] is {_quoted(table.get('by'))}; it has to be one of {', '.join(kinds)}."
        raise _broken(place, finding)
    status = table.get("status", "")
    if not isinstance(status, str) or bool(status) != (by == "status"):
        finding = (
            f'status in [approval] is {_quoted(status)}; by = "status" needs its name, and nothing else has one.'
        )
        raise _broken(place, finding)
    return Approval(by, status)


def _names(place: str, value: object) -> LaneNames:
    table = _table(place, "lanes", value)
    _demand_known(place, "lanes", table, _LANES)
    by_key = {key: _lane_name(place, key, table[key]) for key in table}
    names = LaneNames(**by_key)
    if len({names.of(key) for key in _LANES}) < len(_LANES):
        raise _broken(place, "two lanes have one name in [lanes].")
    return names


def _lane_name(place: str, key: str, name: object) -> str:
    families = {topic.prefix.rstrip("/") for topic in TOPICS}
    if not isinstance(name, str) or "/" in name or slug_fault(name) or name in {*families, "HEAD"}:
        finding = f"{key} in [lanes] is {_quoted(name)}; a lane has a plain name without '/'."
        raise _broken(place, finding)
    return name


def _demand_narrow(place: str, policy: Policy) -> None:
    """Raises `PolicyBroken` for a pattern that takes in what the model itself is about."""
    guarded = [*(lane.pattern for lane in policy.lanes), *(f"{topic.prefix}x" for topic in TOPICS)]
    for key, patterns in (("ignore", policy.ignore), ("bots", policy.bots), ("into_dev", policy.into_dev)):
        for pattern in patterns:
            hit = next((name for name in guarded if Policy(ignore=(pattern,)).is_ignored(name)), None)
            if hit is not None:
                raise _broken(place, f"{pattern!r} in {key} takes in {hit}, which the flow guards.")


def _quoted(value: object) -> str:
    return "missing" if value is None else repr(value)


def _broken(place: str, finding: str) -> PolicyBroken:
    note = (
        f"Mend {FILE} on a branch from dev, and say genpulse flow finish: that branch is judged by its own file.\n"
        "docs/reference/flow-settings.md of GenPulse lists what it may say."
    )
    return PolicyBroken("policy_broken", f"{FILE} says what the team decided.", f"{place}: {finding}", note=note)
