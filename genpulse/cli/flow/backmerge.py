"""`genpulse flow backmerge`."""

import click

from genpulse.cli.flow.branches import done_document, list_commits, say_request
from genpulse.cli.flow.options import json_option, offline_option, repository_here, say_json
from genpulse.cli.output.terminal import say


@click.command()
@click.argument("lane", required=False)
@click.option("--merge", is_flag=True, help="Without a forge: make the merge commit and push it.")
@json_option
@offline_option
def backmerge(lane: str | None, merge: bool, as_json: bool, offline: bool) -> None:
    """Bring what is on LANE alone back into dev, by a pull request of fix/backmerge-<id>.

    LANE is test or main; without it, the one that carries what the lane before it does not have.
    """
    from genpulse.branching.lanes.backmerge import backmerge as bring
    from genpulse.branching.rules.table import DEV, MAIN, TEST

    repository = repository_here(offline=offline)
    rows = {name: row for row in (TEST, MAIN) for name in (row.key, repository.row(row).pattern)}
    if lane is not None and lane not in rows:
        raise click.BadParameter(f"{lane!r} is none of {', '.join(rows)}.", param_hint="LANE")
    done = bring(repository, rows[lane] if lane else None, merge=merge)
    dev = repository.row(DEV).pattern
    if as_json:
        say_json(done_document(done.branch, dev, done.commits, done.url, opened=done.opened, merged=done.merged))
        return
    list_commits(done.commits)
    if done.merged:
        say(f"They are merged into {dev} as {done.merged[:9]}.\nNext: genpulse flow promote test")
    else:
        command = " ".join(["genpulse flow backmerge", *([lane] if lane else [])])
        say_request(done.url, done.branch, dev, command, opened=done.opened)
