"""What traces cost: nothing where they are off, and so much where they are on."""

from collections.abc import Mapping

from bench.rounds import Goal, Result, ratio, taking_turns
from bench.stack import ORDER, Stack, cpu_s
from tests.fakes.collector import Collector

HIDDEN = """
import sys

class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.startswith(("opentelemetry.sdk", "opentelemetry.exporter", "sentry_sdk")):
            raise ModuleNotFoundError(name, name=name)

sys.meta_path.insert(0, Hidden())
"""
"""A `sitecustomize` for processes that find no extra."""


def measure(stack: Stack) -> Result:
    """Processor time of the api and of a worker for a no-op task, by turns."""
    hidden = stack.home / "hidden"
    hidden.mkdir(exist_ok=True)
    (hidden / "sitecustomize.py").write_text(HIDDEN)
    with Collector() as collector:
        on = {"GENPULSE_TRACING__OTLP_URL": collector.url}
        ways: Mapping[str, Mapping[str, str]] = {
            "not installed": {"PYTHONPATH": str(hidden)},
            "off": {},
            "on, of none": {**on, "GENPULSE_TRACING__SAMPLE": "0"},
            "on, of every tenth": {**on, "GENPULSE_TRACING__SAMPLE": "0.1"},
            "on, of all": on,
        }
        measures = {name: (lambda words=words: _cpu_us(stack, words)) for name, words in ways.items()}
        series = taking_turns(measures, stack.size.rounds, "µs")
    absent, off, none, _, everything = series
    goals = (
        Goal("off, of not installed", ratio(off, absent), 1.03, at_least=False),
        Goal("on and of none, of off", ratio(none, off), None),
        Goal("on and of all, of off", ratio(everything, off), None),
    )
    note = (
        "Processor time of the api and a worker for one no-op task, from its request to its end. With all of them"
        " kept a task has five spans, a row of its own and one query more; the thread that brings spans to the"
        " collector is counted, too."
    )
    return Result("traces of no-op tasks", series, goals, note)


def _cpu_us(stack: Stack, words: Mapping[str, str]) -> float:
    known = stack.value("SELECT count(*) FROM tasks")
    with stack.api(environment=words) as (url,):
        api = stack.child("api")
        before = cpu_s(api)
        stack.requests(f"{url}/v1/tasks", method="POST", body=ORDER, accept=202)
        spent = cpu_s(api) - before
    count = stack.value("SELECT count(*) FROM tasks") - known
    with stack.worker(**words) as worker:
        before = cpu_s(worker)
        stack.until_idle()
        spent += cpu_s(worker) - before
    return spent / count * 1e6
