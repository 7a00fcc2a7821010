"""`genpulse flow check`: the merge check for CI and hooks."""

import click

from genpulse.branching.documents import merge_sentence, verdict_document
from genpulse.branching.merge_check import MergeVerdict, ProposedMerge, check_merge
from genpulse.cli.flow.options import annotate, json_option, offline_option, report, repository_here
from genpulse.cli.output.terminal import say, say_json


@click.command("check")
@click.option("--head", required=True, help="The branch that is to be merged.")
@click.option("--base", default="", help="The branch that it is to be merged into; not needed with --names-only.")
@click.option("--head-repo", default="", help="owner/name of the head's repository: a fork's lanes are no lanes.")
@click.option("--base-repo", default="", help="owner/name of the base's repository.")
@click.option("--head-sha", default="", help="The head's commit, where its branch is not here (a fork's).")
@click.option("--trunk", default="", help="What dev is called here, as the gate's workflow says it.")
@click.option("--arrived", default="", help="A commit that a push has brought to base already: judge that one.")
@click.option("--before", default="", help="With --arrived: base's tip before that push.")
@click.option("--names-only", is_flag=True, help="Look at the names, not at the history.")
@json_option
@offline_option
@click.pass_context
def check_command(
    ctx: click.Context,
    head: str,
    base: str,
    head_repo: str,
    base_repo: str,
    head_sha: str,
    trunk: str,
    arrived: str,
    before: str,
    names_only: bool,
    as_json: bool,
    offline: bool,
) -> None:
    """Exit code 0 when head may be merged into base, or 1 with the rule that forbids it.

    By the names, and by the history as it was fetched. Where main is concerned the remote is asked for its version
    tags. What git cannot answer is refused; --names-only asks for the names alone.
    """
    if not base and not names_only:
        raise click.UsageError("--base is needed, except with --names-only.", ctx)
    merge = ProposedMerge(head, base, head_repo, base_repo, head_sha, arrived, before)
    verdict = check_merge(merge, repository_here(offline=offline, trunk=trunk), history=not names_only)
    if as_json:
        for refusal in verdict.refusals:
            report(refusal, annotated=False)
        say_json(verdict_document(merge, verdict))
    else:
        _say(merge, verdict)
    ctx.exit(0 if verdict else 1)


def _say(merge: ProposedMerge, verdict: MergeVerdict) -> None:
    for refusal in verdict.refusals:
        report(refusal)
    for warning in verdict.warnings:
        annotate("warning", warning)
        say(f"warning: {warning}", err=True)
    if verdict.unchecked:
        say(f"The history was not looked at: {verdict.unchecked}", err=True)
    if verdict:
        say(merge_sentence(merge, verdict))
