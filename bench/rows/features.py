"""What each feature costs a submit and a task: all are off, and each is on by turns."""

import http.client
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import psutil

from bench.rounds import Goal, Result, Series, ratio
from bench.stack import ROOT, Stack, cpu_s
from tests.fakes.collector import Collector

MOST = 1.05
PLAIN = "everything off"
_OFF = {
    "PYTHONPATH": str(ROOT / "bench/plug_in"),
    "GENPULSE_CONSOLE__ENABLED": "false",
    "GENPULSE_DOORS__REPLICATE": "false",
    "GENPULSE_DOORS__FAL": "false",
    "GENPULSE_DOORS__OPENAI": "false",
}
_DOORS = {"GENPULSE_DOORS__REPLICATE": "true", "GENPULSE_DOORS__FAL": "true", "GENPULSE_DOORS__OPENAI": "true"}
_FIRST, _SECOND = (f"00000000-0000-0000-0000-00000000000{number}" for number in (1, 2))
# Who submits shows no key, as anybody may while there is none: so those whose tasks they become are revoked.
_KEYS = f"""
INSERT INTO api_keys (id, name, hint, digest, scopes, created_at, revoked_at)
SELECT id, id::text, 'h', id::text::bytea, '{{tasks:read,tasks:write}}', now(), now()
FROM unnest('{{{_FIRST},{_SECOND}}}'::uuid[]) AS id ON CONFLICT DO NOTHING
"""
_OF_TASKS = "UPDATE queue SET owner = tasks.owner FROM tasks WHERE tasks.id = queue.task_id"
_OWNERS = (
    _KEYS,
    f"UPDATE tasks SET owner = CASE WHEN right(md5(id::text), 1) < '8' THEN '{_FIRST}' ELSE '{_SECOND}' END",
    _OF_TASKS,
)
_ONE_OWNER = (_KEYS, f"UPDATE tasks SET owner = '{_FIRST}'", _OF_TASKS)


@dataclass(frozen=True, slots=True)
class Way:
    """How one turn differs: `environment` of api and worker, the `model`, statements before the worker begins."""

    environment: Mapping[str, str] = field(default_factory=dict)
    model: str = "bench/free"
    before_worker: tuple[str, ...] = _ONE_OWNER
    looks: bool = False


@dataclass(slots=True)
class Costs:
    """Processor time of GenPulse, PostgreSQL and Redis together, in µs, once a round."""

    submit: list[float] = field(default_factory=list)
    task: list[float] = field(default_factory=list)


def measure(stack: Stack) -> Result:
    """Whoever comes first in a round comes last in the next; a round before them warms up."""
    rounds = stack.size.rounds
    with Collector() as collector:
        ways = _ways(collector.url)
        found = {name: Costs() for name in ways}
        if rounds > 1:
            for way in ways.values():
                _turn(stack, way)
        for number in range(rounds):
            for name in list(ways) if number % 2 == 0 else reversed(ways):
                submit_us, task_us = _turn(stack, ways[name])
                found[name].submit.append(submit_us)
                found[name].task.append(task_us)
    submits = {name: Series(f"submit, {name}", "µs", tuple(costs.submit)) for name, costs in found.items()}
    tasks = {name: Series(f"task, {name}", "µs", tuple(costs.task)) for name, costs in found.items()}
    goals = tuple(
        Goal(f"{work}, {name}", ratio(series[name], series[PLAIN]), MOST, at_least=False)
        for work, series in (("submit", submits), ("task", tasks))
        for name in ways
        if name != PLAIN
    )
    note = (
        "Processor time of the api, or of the worker, and of PostgreSQL and Redis for it, beside the same with"
        " everything off: a free model, one owner, no traces, no door but our own, no console."
    )
    return Result("what features cost", (*submits.values(), *tasks.values()), goals, note)


def _ways(collector_url: str) -> dict[str, Way]:
    traced = {"GENPULSE_TRACING__OTLP_URL": collector_url}
    return {
        PLAIN: Way(),
        "ledger": Way(model="bench/priced"),
        "ledger and a budget of the day": Way({"GENPULSE_BUDGET__DAILY_USD": "1000000"}, model="bench/priced"),
        "fairness between two owners": Way(before_worker=_OWNERS),
        "OpenTelemetry, every tenth": Way({**traced, "GENPULSE_TRACING__SAMPLE": "0.1"}),
        "OpenTelemetry, all": Way(traced),
        "doors of three dialects": Way(_DOORS),
        "console that somebody looks at": Way({"GENPULSE_CONSOLE__ENABLED": "true"}, looks=True),
    }


def _turn(stack: Stack, way: Way) -> tuple[float, float]:
    """µs for a submit, and for what a worker does of a task."""
    words = {**_OFF, **way.environment}
    body = f'{{"model": "{way.model}", "input": {{}}}}'
    with stack.api(environment=words) as (url,), _looked_at(url) if way.looks else nullcontext():
        before = _spent_s(stack, stack.child("api"))
        stack.requests(f"{url}/v1/tasks", method="POST", body=body, accept=202)
        submit_s = _spent_s(stack, stack.child("api")) - before
    count = stack.value("SELECT count(*) FROM tasks")
    stack.execute(*way.before_worker, "VACUUM ANALYZE tasks", "VACUUM ANALYZE queue")
    with stack.worker(**words) as worker:
        before = _spent_s(stack, worker)
        stack.until_idle()
        task_s = _spent_s(stack, worker) - before
    stack.execute("TRUNCATE queue", "TRUNCATE tasks CASCADE")
    return submit_s / count * 1e6, task_s / count * 1e6


def _spent_s(stack: Stack, process: psutil.Process) -> float:
    return cpu_s(process) + cpu_s(stack.postgres) + cpu_s(stack.redis)


@contextmanager
def _looked_at(url: str) -> Iterator[None]:
    """Somebody has the page "Now" open."""
    parts = urlsplit(url)
    with closing(http.client.HTTPConnection(parts.hostname or "", parts.port)) as connection:
        connection.request("GET", "/console/live/now", headers={"Accept": "text/event-stream"})
        answer = connection.getresponse()
        if answer.status != 200:
            raise SystemExit(f"the console answered {answer.status}")
        reading = threading.Thread(target=_read, args=(answer,), daemon=True)
        reading.start()
        yield
        if connection.sock is not None:
            connection.sock.shutdown(2)
        reading.join(10)


def _read(answer: http.client.HTTPResponse) -> None:
    try:
        while answer.read1(1 << 16):
            pass
    except (OSError, http.client.HTTPException, ValueError):
        return
