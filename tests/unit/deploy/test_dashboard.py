"""The dashboard and the rules name figures and labels that `/metrics` has."""

import json
import re
from pathlib import Path

import pytest
import yaml

from genpulse.api.metrics.metrics import Metrics
from genpulse.api.server.connections_per_peer import Peers
from genpulse.background.loops import Loops

ROOT = Path(__file__).parents[3]
DASHBOARD = json.loads((ROOT / "deploy/grafana/genpulse.json").read_text())
RULES = yaml.safe_load((ROOT / "deploy/prometheus/genpulse.rules.yaml").read_text())["groups"][0]["rules"]
GIVEN_BY_PROMETHEUS = {"environment", "instance", "le"}
SUFFIXES = {"histogram": ("_bucket", "_sum", "_count"), "counter": ("_total",), "gauge": ("",)}


def figures():
    """The labels of each series by its name, from the registry of an API."""
    registry = Metrics(Loops(), Peers(1, 1))._registry
    for collector in registry._collector_to_names:
        labels = getattr(collector, "_labelnames", None)
        for family in collector.collect():
            for suffix in SUFFIXES[family.type]:
                yield f"{family.name}{suffix}", {*(labels or getattr(family, "_labelnames", ()))}


FIGURES = dict(figures())


def queries():
    """Each query of the dashboard, as Prometheus gets it."""
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", ()):
            yield target["expr"].replace("$environment", ".*")


@pytest.mark.parametrize("query", [*queries(), *(rule["expr"] for rule in RULES)])
def test_a_query_names_what_is_there(query):
    used = re.findall(r"(genpulse_\w+)(?:\{([^}]*)\})?", query)
    assert used
    known = set(GIVEN_BY_PROMETHEUS)
    for name, selectors in used:
        assert name in FIGURES
        known |= FIGURES[name]
        assert set(re.findall(r"(\w+)(?:=~|!=|!~|=)", selectors)) <= FIGURES[name] | GIVEN_BY_PROMETHEUS
    for grouped in re.findall(r"by \(([^)]*)\)", query):
        assert set(grouped.split(", ")) <= known


@pytest.mark.parametrize("query", [*queries(), *(rule["expr"] for rule in RULES)])
def test_what_all_processes_tell_is_taken_of_one(query):
    """What the page of metrics marks as `all` is never summed before one of the equal ones was taken."""
    page = (ROOT / "docs/reference/metrics.md").read_text()
    of_all = re.findall(r"^\| `(genpulse_\w+)` \| \w+ \|[^|]*\| all:", page, re.MULTILINE)
    assert len(of_all) > 15
    for name in of_all:
        for found in re.finditer(rf"\b{name}(?:_bucket)?\b", query):
            before = query[: found.start()]
            closest = re.search(
                r"(sum|max|min)\b(?: by \([^)]*\))? \(?(?:rate\(|increase\()?\(?$|(max)\($", before
            )
            assert closest is not None, query
            assert closest.group(0).startswith("max"), query


def test_each_panel_fits_the_grid_and_has_a_name_of_its_own():
    titles = [panel["title"] for panel in DASHBOARD["panels"]]
    assert len(set(titles)) == len(titles)
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(titles)
    assert all(place["x"] + place["w"] <= 24 for place in (panel["gridPos"] for panel in DASHBOARD["panels"]))


def test_each_alert_tells_how_urgent_it_is_and_where_to_read_what_to_do():
    page = (ROOT / "docs/how-to/on-call.md").read_text()
    sections = re.findall(r"^### (GenPulse\w+)$", page, re.MULTILINE)
    assert sections == [rule["alert"] for rule in RULES]
    for rule in RULES:
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert rule["annotations"]["runbook"] == f"docs/how-to/on-call.md#{rule['alert'].lower()}"


def test_each_section_says_what_it_means_and_what_to_type():
    page = (ROOT / "docs/how-to/on-call.md").read_text()
    for section in re.split(r"^### ", page, flags=re.MULTILINE)[1:]:
        name, _, text = section.partition("\n")
        assert "    " in text or "```" in text, f"{name} says nothing to type"
