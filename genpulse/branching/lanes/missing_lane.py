"""The error for a lane that is not known here."""

from collections.abc import Collection, Sequence

from genpulse.branching.errors import RepositoryUnfit
from genpulse.environment.table import DEVELOPMENT, PRODUCTION, TESTING

_LIKELY = (
    ("develop", DEVELOPMENT.dynaconf, "trunk", "integration", "next"),
    ("staging", "stage", TESTING.dynaconf, "qa", "preprod", "uat"),
    ("master", PRODUCTION.dynaconf, "prod"),
)
"""What dev, test and main are called in repositories that do without the flow."""


def missing_lane(
    remote: str, name: str, lanes: Sequence[str], branches: Collection[str], *, fetches_all: bool
) -> RepositoryUnfit:
    """Make the error for a lane that this clone does not fetch, or that the remote does not have.

    `lanes` are the names of all three, `branches` those that are known of the remote.
    """
    rule = f"The lanes {', '.join(lanes)} are on the remote, and known here."
    if not fetches_all:
        return RepositoryUnfit(
            "lane_not_fetched",
            rule,
            f"this clone fetches single branches of {remote}, and {name} is none of them.",
            f"git remote set-branches {remote} '*' && git fetch {remote}",
            note="In CI: a checkout with the whole history has all branches.",
        )
    known_as = _likely(lanes, branches)
    if known_as != list(lanes):
        return _called_otherwise(remote, name, lanes, known_as, rule)
    there = next((lane for lane in (lanes[-1], *lanes) if lane in branches), None)
    source = f"refs/remotes/{remote}/{there}" if there else "HEAD"
    return RepositoryUnfit(
        "lane_missing",
        rule,
        f"{remote} has no branch {name} (as last fetched).",
        f"git fetch {remote}",
        f"git push {remote} {source}:refs/heads/{name}",
        note="The second only if it is really missing.",
    )


def _likely(lanes: Sequence[str], branches: Collection[str]) -> list[str]:
    """The lanes by the names that they seem to have on the remote; its own name for one that has no such."""
    names = []
    for lane, others in zip(lanes, _LIKELY, strict=True):
        other = next((each for each in others if each in branches), lane)
        names.append(lane if lane in branches else other)
    return names


def _called_otherwise(
    remote: str, name: str, lanes: Sequence[str], known_as: Sequence[str], rule: str
) -> RepositoryUnfit:
    """The names that are there may stay, or the lane is made of the branch that seems to be it."""
    pairs = [(lane, other) for lane, other in zip(lanes, known_as, strict=True) if lane != other]
    finding = f"{remote} has no branch {name}, but {', '.join(f'{other} for {lane}' for lane, other in pairs)}."
    specs = " ".join(f"refs/remotes/{remote}/{other}:refs/heads/{lane}" for lane, other in pairs)
    note = (
        "The first keeps the names that are there. The second makes branches of the lanes' own names beside them."
    )
    keep = f"genpulse flow install --lanes {','.join(known_as)}"
    return RepositoryUnfit("lane_missing", rule, finding, keep, f"git push {remote} {specs}", note=note)
