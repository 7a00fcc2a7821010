"""`genpulse flow status`."""

from datetime import UTC, datetime

import click

from genpulse.branching.documents import refusal_document
from genpulse.branching.status import CheckedTag, FlowState, read_state
from genpulse.branching.topics.open_topics import Topic
from genpulse.cli.flow.options import json_option, legible, repository_here
from genpulse.cli.output.terminal import say_drawn, say_json


@click.command("status")
@click.option("--fetch", is_flag=True, help="Ask the remote first.")
@click.option("--offline", is_flag=True, help="Never ask the remote, as without --fetch.")
@json_option
@click.pass_context
def status_command(ctx: click.Context, fetch: bool, offline: bool, as_json: bool) -> None:
    """The lanes dev, test and main, what waits between them, open branches, and what is wrong.

    Goes by what was fetched last. Exit code 0 whatever is found.
    """
    if fetch and offline:
        raise click.UsageError("--fetch and --offline exclude each other.", ctx)
    repository = repository_here(offline=not fetch)
    if fetch:
        repository.fetch()
    state = read_state(repository)
    if as_json:
        say_json(_document(state))
        return
    from genpulse.cli.flow.picture import draw
    from genpulse.cli.output.console import console

    out = console()
    picture = draw(state, out.width, is_pipe=not out.is_terminal)
    with out.capture() as drawn:
        out.print(picture, crop=False)  # commands go on beyond the edge
    say_drawn(legible(drawn.get(), out.encoding))


def _document(state: FlowState) -> dict[str, object]:
    return {
        "remote": state.remote,
        "branch": state.current,
        "fetched_at": _time(state.fetched),
        "lanes": {
            row.pattern: {
                "commit": ref.commit,
                "tree": ref.tree,
                "env": row.environment.name,
                "target": row.target,
            }
            for row, ref in state.lanes
        },
        "waiting": [
            {
                "from": waiting.source.pattern,
                "to": waiting.target.pattern,
                "commits": [{"commit": commit.id, "subject": commit.subject} for commit in waiting.commits],
            }
            for waiting in state.waiting
        ],
        "topics": [_topic(topic) for topic in state.topics],
        "open": [{"version": str(one.final), "candidate": one.tag} for one in state.open],
        "candidate": _mark(state.candidate),
        "release": _mark(state.release),
        "violations": [refusal_document(refusal) for refusal in state.violations],
        "notes": [refusal_document(note) for note in state.notes],
    }


def _topic(topic: Topic) -> dict[str, object]:
    return {
        "branch": topic.ref.name,
        "commit": topic.ref.commit,
        "ahead": len(topic.commits),
        "published": topic.published,
        "cut_from_dev": not topic.foreign,
        "changed_at": _time(topic.ref.when),
    }


def _mark(mark: CheckedTag | None) -> dict[str, object] | None:
    if mark is None:
        return None
    facts = {"tag": mark.version.tag, "commit": mark.ref.commit, "tagged_at": _time(mark.ref.when)}
    return {**facts, "verified": mark.refusal is None}


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat()
