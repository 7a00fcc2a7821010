"""The page of metrics names every figure that is there, and no other."""

import re
from pathlib import Path

from genpulse.api.metrics.metrics import Metrics
from genpulse.api.server.connections_per_peer import Peers
from genpulse.background.loops import Loops
from genpulse.domain.search.ended_work import BOUNDS_S

PAGE = (Path(__file__).parents[2] / "docs/reference/metrics.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `(genpulse_\w+)` \| (\w+) \|([^|]*)\|", re.MULTILINE)
QUERY = re.compile(r"^\| [^|]+\? ?[^|]*\| `(.+)` \|$", re.MULTILINE)


def figures():
    """Name, type and labels of each, from the registry itself."""
    registry = Metrics(Loops(), Peers(1, 1))._registry
    for collector in registry._collector_to_names:
        for family in collector.collect():
            is_counter = family.type == "counter"
            labels = getattr(collector, "_labelnames", None) or getattr(family, "_labelnames", ())
            yield f"{family.name}{'_total' * is_counter}", family.type, tuple(labels)


def test_each_figure_is_in_a_table_with_its_type_and_labels():
    told = {(name, kind, tuple(re.findall(r"`(\w+)`", labels))) for name, kind, labels in ROW.findall(PAGE)}
    assert told == set(figures())


def test_each_query_names_figures_and_labels_that_are_there():
    queries = QUERY.findall(PAGE)
    assert len(queries) > 20
    known = {}
    for name, kind, labels in figures():
        suffixes = ("_bucket", "_sum", "_count") if kind == "histogram" else ("",)
        known.update({f"{name}{suffix}": {*labels, "le"} for suffix in suffixes})
    for query in queries:
        used = re.findall(r"(genpulse_\w+)(?:\{(\w+)=)?", query)
        assert used
        assert query.count("(") == query.count(")")
        for name, label in used:
            assert not label or label in known[name], query
            for grouped in re.findall(r"by \(([^)]*)\)", query):
                assert set(grouped.split(", ")) <= known[name], query


def test_the_page_tells_the_bounds_of_the_buckets():
    *shorter, longest = (f"{bound:g}" for bound in BOUNDS_S)
    assert f"up to {', '.join(shorter)} and {longest} seconds" in PAGE
