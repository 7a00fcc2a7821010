"""A task as people read it."""

import json

import click

from genpulse.client import TaskView


def print_task(task: TaskView, *, as_json: bool) -> None:
    """On standard output: the document itself, or a line for each fact."""
    if as_json:
        click.echo(json.dumps(task.document, indent=2))
        return
    facts = task.document
    error = facts.get("error")
    rows = {
        "task": task.id,
        "model": f"{task.model} ({facts['kind']})",
        "status": task.status + (f", {task.progress:.0%}" if task.progress is not None else ""),
        "attempt": facts["attempt"],
        "created": facts["created_at"],
        "finished": facts["finished_at"] or "",
        "input": json.dumps(facts["input"], ensure_ascii=False),
        "error": f"{error['code']}: {error['message']} (charged: {error['charged']})" if error else "",
        "outputs": "\n          ".join(asset.url for asset in task.outputs),
    }
    for name, value in rows.items():
        if value != "":
            click.echo(f"{name:<10}{value}")
