"""Each alert is raised by what it is for and by nothing near it, as Prometheus' own promtool computes it."""

import subprocess
from dataclasses import dataclass, field

import pytest
import yaml

from tests.operations.tools import ROOT, path_of

RULES = ROOT / "deploy/prometheus/genpulse.rules.yaml"
ALERTS = [rule["alert"] for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]
EVERY_MINUTE = "1m"
UP = {'genpulse_database_up{instance="a"}': "1x90"}


@dataclass(frozen=True)
class Case:
    """Series by minutes, in promtool's notation, and what is raised of them after an hour: the labels of each."""

    alert: str
    series: dict
    raised: list = field(default_factory=list)


def part(name, value):
    return {f'genpulse_part_up{{part="{name}",instance="{one}"}}': f"{value}x90" for one in "ab"}


def ended(status, each_minute, code="", instances="ab"):
    labels = f'provider="fal",model="fal/x",status="{status}",code="{code}"'
    return {f'genpulse_tasks_ended_total{{{labels},instance="{one}"}}': f"0+{each_minute}x90" for one in instances}


def gauge(name, labels, value):
    return {f'{name}{{{labels}{"," if labels else ""}instance="a"}}': f"{value}x90"}


BUDGET = 'scope="provider",name="fal",period="day"'
OF_FAL = {"provider": "fal"}
IN_BUDGET = {"scope": "provider", "name": "fal", "period": "day"}
CASES = [
    Case("GenPulseSilent", {"other": "1x90"}, [{}]),
    Case("GenPulseSilent", UP),
    Case("GenPulsePartDown", part("database", 0), [{"part": "database"}]),
    Case("GenPulsePartDown", part("migrations", 0)),
    Case("GenPulsePartDown", part("redis", 0.5)),
    Case("GenPulsePartDegraded", part("redis", 0.5), [{"part": "redis"}]),
    Case("GenPulsePartDegraded", part("redis", 1)),
    Case("GenPulseMigrationsBehind", part("migrations", 0), [{}]),
    Case("GenPulseMigrationsBehind", part("migrations", 1)),
    Case("GenPulseStorageDown", part("storage", 0), [{}]),
    Case("GenPulseStorageDown", part("storage", 0.5)),
    Case("GenPulseStorageFull", part("storage", 0.5), [{}]),
    Case("GenPulseStorageFull", part("storage", 1)),
    Case(
        "GenPulseServerErrors",
        {
            'genpulse_http_requests_total{status="200"}': "0+94x90",
            'genpulse_http_requests_total{status="503"}': "0+6x90",
        },
        [{}],
    ),
    Case(
        "GenPulseServerErrors",
        {
            'genpulse_http_requests_total{status="404"}': "0+96x90",
            'genpulse_http_requests_total{status="503"}': "0+4x90",
        },
    ),
    Case("GenPulseNoWorker", gauge("genpulse_workers", "", 0), [{}]),
    Case("GenPulseNoWorker", gauge("genpulse_workers", "", 1)),
    Case(
        "GenPulseWorkerLost",
        {
            f'genpulse_attempts_ended_total{{provider="fal",outcome="{outcome}"}}': "0x55 1x35"
            for outcome in ("abandoned", "released")
        },
        [{}],
    ),
    Case("GenPulseWorkerLost", {'genpulse_attempts_ended_total{outcome="released"}': "0x55 1x35"}),
    Case(
        "GenPulseLoopFails", {'genpulse_loop_failures_total{loop="the sweep"}': "0+1x90"}, [{"loop": "the sweep"}]
    ),
    Case(
        "GenPulseLoopFails",
        gauge("genpulse_worker_loop_failing", 'worker="w",loop="the sweep"', 1),
        [{"worker": "w", "loop": "the sweep"}],
    ),
    Case("GenPulseLoopFails", {'genpulse_loop_failures_total{loop="the sweep"}': "7x90"}),
    Case("GenPulseTasksWaitTooLong", gauge("genpulse_queue_overdue_seconds", 'provider="fal"', 601), [OF_FAL]),
    Case("GenPulseTasksWaitTooLong", gauge("genpulse_queue_overdue_seconds", 'provider="fal"', 600)),
    Case("GenPulseTasksFail", ended("failed", 3) | ended("succeeded", 20), [{"model": "fal/x"}]),
    Case("GenPulseTasksFail", ended("failed", 2) | ended("succeeded", 20)),
    Case("GenPulseTasksFail", ended("failed", 1)),
    Case(
        "GenPulseAccountNeedsSomebody",
        ended("failed", 1, "quota_exhausted"),
        [{"provider": "fal", "code": "quota_exhausted"}],
    ),
    Case("GenPulseAccountNeedsSomebody", ended("failed", 9, "invalid_input")),
    Case("GenPulseCircuitOpen", gauge("genpulse_provider_circuit", 'provider="fal",state="open"', 1), [OF_FAL]),
    Case("GenPulseCircuitOpen", gauge("genpulse_provider_circuit", 'provider="fal",state="closed"', 1)),
    Case(
        "GenPulseBudgetNearlyUsed",
        gauge("genpulse_budget_used_usd", BUDGET, 81) | gauge("genpulse_budget_limit_usd", BUDGET, 100),
        [IN_BUDGET],
    ),
    Case(
        "GenPulseBudgetNearlyUsed",
        gauge("genpulse_budget_used_usd", BUDGET, 80) | gauge("genpulse_budget_limit_usd", BUDGET, 100),
    ),
    Case(
        "GenPulseBudgetUsed",
        gauge("genpulse_budget_used_usd", BUDGET, 100) | gauge("genpulse_budget_limit_usd", BUDGET, 100),
        [IN_BUDGET],
    ),
    Case(
        "GenPulseBudgetUsed",
        gauge("genpulse_budget_used_usd", BUDGET, 98) | gauge("genpulse_budget_limit_usd", BUDGET, 100),
    ),
    Case(
        "GenPulseWebhooksNotTaken",
        {'genpulse_deliveries_tried_total{outcome="given_up",answer="5xx"}': "0x50 2x40"},
        [{"answer": "5xx"}],
    ),
    Case("GenPulseWebhooksNotTaken", {'genpulse_deliveries_tried_total{outcome="will_be_retried"}': "0+1x90"}),
    Case("GenPulseWebhooksLate", gauge("genpulse_deliveries_overdue_seconds", "", 301), [{}]),
    Case("GenPulseWebhooksLate", gauge("genpulse_deliveries_overdue_seconds", "", 300)),
    Case(
        "GenPulseCountsBehind",
        gauge("genpulse_ended_counted_until_seconds", 'what="tasks"', 0),
        [{"what": "tasks"}],
    ),
    Case("GenPulseCountsBehind", {'genpulse_ended_counted_until_seconds{what="tasks"}': "0+60x90"}),
]


def test_each_alert_has_a_case_in_which_it_is_raised_and_one_in_which_it_is_not():
    assert {case.alert for case in CASES if case.raised} == set(ALERTS)
    assert {case.alert for case in CASES if not case.raised} == set(ALERTS)


def promtool(*arguments, folder):
    done = subprocess.run(
        [path_of("promtool"), *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.alert}-{'raised' if case.raised else 'quiet'}")
def test_an_alert(case, tmp_path):
    (group,) = yaml.safe_load(RULES.read_text())["groups"]
    rule = next(rule for rule in group["rules"] if rule["alert"] == case.alert)
    del rule["annotations"]  # promtool would have to be told their words
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": [{"name": "g", "rules": [rule]}]}))
    raised = [{"exp_labels": {**labels, "severity": rule["labels"]["severity"]}} for labels in case.raised]
    test = {
        "interval": EVERY_MINUTE,
        "input_series": [{"series": name, "values": _values(values)} for name, values in case.series.items()],
        "alert_rule_test": [{"eval_time": "1h", "alertname": case.alert, "exp_alerts": raised}],
    }
    (tmp_path / "test.yaml").write_text(
        yaml.safe_dump({"rule_files": ["rules.yaml"], "evaluation_interval": EVERY_MINUTE, "tests": [test]})
    )
    promtool("test", "rules", "test.yaml", folder=tmp_path)


def _values(text):
    """`1x90` stands for ninety steps without a change."""
    return " ".join(each if "+" in each else each.replace("x", "+0x") for each in text.split())


def test_promtool_takes_the_rules_and_every_query_of_the_dashboard(tmp_path):
    promtool("check", "rules", str(RULES), folder=tmp_path)
    from tests.unit.deploy.test_dashboard import queries

    rules = [{"record": f"q:{number}", "expr": query} for number, query in enumerate(queries())]
    (tmp_path / "queries.yaml").write_text(yaml.safe_dump({"groups": [{"name": "g", "rules": rules}]}))
    promtool("check", "rules", "queries.yaml", folder=tmp_path)
