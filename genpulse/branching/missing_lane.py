"""What to say when a lane is not known here."""

from collections.abc import Collection, Sequence

from genpulse.branching.errors import RepositoryUnfit


def missing_lane(
    remote: str, name: str, lanes: Sequence[str], branches: Collection[str], *, fetches_all: bool
) -> RepositoryUnfit:
    """That this clone does not fetch it, or that the remote does not have it.

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
