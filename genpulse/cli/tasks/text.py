"""A task as people read it."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from genpulse.cli.output.moments import moment_text
from genpulse.cli.output.terminal import say
from genpulse.domain.text.storable import showable_line
from genpulse_client import Task, TaskWarning

_RESULT_LENGTH = 2_000
_WAITS_FOR = {
    "worker": "a worker",
    "provider": "the provider, which cannot be asked how the job is",
    "storage": "the storage, which is away or full",
    "database": "the database",
}


def print_task(task: Task, *, as_json: bool) -> None:
    """On standard output: the document itself, or a line for each fact."""
    if as_json:
        say(json.dumps(task.document, indent=2))
        return
    for name, value in _facts(task).items():
        if value != "":
            hung = str(value).replace("\r\n", "\n").replace("\n", f"\n{'':<10}")
            say(f"{name:<10}{hung}")


def _facts(task: Task) -> dict[str, object]:
    facts = task.document
    standing = standing_of(task, datetime.now(UTC))
    return {
        "task": task.id,
        "model": f"{task.model} ({facts['kind']})",
        "route": _route(task),
        "status": task.status + (f", {task.progress:.0%}" if task.progress is not None else ""),
        "": standing,
        "attempt": _attempts(task),
        "key": (facts.get("key") or {}).get("name", ""),
        "created": facts["created_at"],
        "finished": facts["finished_at"] or "",
        "input": json.dumps(facts["input"], ensure_ascii=False),
        "error": _error(task),
        "warnings": "\n".join(warnings_of(task)),
        "outputs": "\n".join(asset.url for asset in task.outputs),
        "result": _result(task),
    }


def print_attempts(attempts: Sequence[Mapping[str, Any]], now: datetime) -> None:
    """A line for each try: how it ended, when it began, how long it took, by whom, and why it ended so."""
    for attempt in attempts:
        began = datetime.fromisoformat(attempt["started_at"])
        ended = datetime.fromisoformat(attempt["finished_at"]) if attempt["finished_at"] else now
        error, worker = attempt["error"], attempt["worker"]
        words = (
            f"{attempt['status']}, at {moment_text(began, now)}, for {span((ended - began).total_seconds())}",
            f" by {worker}" if worker else "",
            f": {error['code']}: {error['message']}" if error else "",
        )
        say(f"{'try ' + str(attempt['number']):<10}{showable_line(''.join(words))}")


def _route(task: Task) -> str:
    """Which models are tried, a line each: which were left and why, where the task is, and which come next."""
    route = task.route
    if route is None:
        return ""
    hops = {hop["model"]: hop for hop in route["hops"]}
    models = [target["model"] for target in route["targets"]]
    lines = [
        _stop(model, hops.get(model), place - route["place"], task.ended) for place, model in enumerate(models)
    ]
    return "\n".join([*([str(route["name"])] if route["name"] else []), *lines])


def _stop(model: str, hop: Mapping[str, Any] | None, ahead: int, ended: bool) -> str:
    if hop is None:
        here, next_ = ("it ended here", "not tried") if ended else ("it is here", "next, if need be")
        return f"{model}: {next_ if ahead else here}"
    tried = f"left after attempt {hop['attempt']}" if hop["attempt"] else "left before any attempt"
    return showable_line(f"{model}: {tried}, {hop['code']}: {hop['message']} (charged: {hop['charged']})")


def _result(task: Task) -> str:
    """What the provider answered, on one line, in which files are named by their ids."""
    if task.result is None:
        return ""
    text = json.dumps(_with_ids(task.result), ensure_ascii=False)
    return text if len(text) <= _RESULT_LENGTH else f"{text[:_RESULT_LENGTH]}… (all of it: --json)"


def _with_ids(value: Any) -> Any:
    if isinstance(value, dict):
        if "$asset" in value:
            return f"asset:{value['$asset']}"
        return {name: _with_ids(inner) for name, inner in value.items()}
    return [_with_ids(inner) for inner in value] if isinstance(value, list) else value


def _error(task: Task) -> str:
    error = task.error
    return f"{error.code}: {error.message} (charged: {error.charged})" if error else ""


def warnings_of(task: Task) -> tuple[str, ...]:
    """What is odd about a task, a line for each; a message that has several is one line."""
    return tuple(f"{_which(warning)}: {' '.join(warning.message.split())}" for warning in task.warnings)


def _which(warning: TaskWarning) -> str:
    """Outputs are counted from 1, as people do."""
    return warning.code if warning.index is None else f"{warning.code} (output {warning.index + 1})"


def _attempts(task: Task) -> str:
    failures = task.document.get("failures", 0)
    return f"{task.document['attempt']}" + (f", {failures} failed" if failures else "")


def standing_of(task: Task, now: datetime) -> str:
    """What keeps a task from going on, and what was asked of it, in plain words; empty when that is nothing."""
    if task.ended:
        return ""
    wish = "somebody wants it to stop" if task.cancel_requested_at else ""
    said = task.last_error.message if task.last_error else ""
    waiting = _waiting(task, now) + (f": {said}" if said and task.waiting_for else "")
    return "; ".join(filter(None, (wish, waiting)))


def _waiting(task: Task, now: datetime) -> str:
    waiting = task.waiting_for
    if waiting is None:
        return ""
    if waiting.what not in {"next_attempt", "run_at"}:
        what = _WAITS_FOR.get(waiting.what, waiting.what)
        return f"waits for {what}, for {span(max((now - waiting.since).total_seconds(), 0.0))}"
    left_s = (task.next_try_at - now).total_seconds() if task.next_try_at else 0.0
    what = "the next attempt" if waiting.what == "next_attempt" else "its time"
    return f"waits for {what}, {f'due in {span(left_s)}' if left_s >= 1 else 'due now'}"


def span(seconds: float) -> str:
    """A time as people say it, in one or two units."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if minutes < 60:
        return f"{minutes} min {whole % 60} s"
    return f"{hours} h {minutes % 60} min" if hours < 48 else f"{days} days"
