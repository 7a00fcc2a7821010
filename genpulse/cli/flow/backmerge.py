"""`genpulse flow backmerge`."""

import click

from genpulse.cli.flow.branches import say_merge
from genpulse.cli.flow.options import json_option, offline_option, repository_here


@click.command("backmerge")
@click.argument("lane", required=False)
@click.option("--merge", is_flag=True, help="Without a forge: make the merge commit and push it.")
@json_option
@offline_option
def backmerge_command(lane: str | None, merge: bool, as_json: bool, offline: bool) -> None:
    """Bring what is on LANE alone back into dev, by a pull request of fix/backmerge-<id>.

    LANE is test or main; without it, the one that carries what the lane before it does not have.
    """
    from genpulse.branching.lanes.backmerge import backmerge
    from genpulse.branching.rules.table import DEV, MAIN, TEST

    repository = repository_here(offline=offline)
    rows = {name: row for row in (TEST, MAIN) for name in (row.key, repository.row(row).pattern)}
    if lane is not None and lane not in rows:
        raise click.BadParameter(f"{lane!r} is none of {', '.join(rows)}.", param_hint="LANE")
    result = backmerge(repository, rows[lane] if lane else None, merge=merge)
    dev = repository.row(DEV).pattern
    merged = f"They are merged into {dev} as {result.merged[:9]}.\nNext: genpulse flow promote test"
    command = " ".join(["genpulse flow backmerge", *([lane] if lane else [])])
    say_merge(result, dev, merged, command, as_json=as_json)
