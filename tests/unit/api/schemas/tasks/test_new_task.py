import string
from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given, settings
from hypothesis import strategies as st

from genpulse.api.schemas.links import Links
from genpulse.api.schemas.tasks.documents import TaskDocument
from genpulse.api.schemas.tasks.new_task import new_task_json
from genpulse.domain.routing.task_route import RouteTarget, TaskRoute
from genpulse.domain.task import NewTask, Priority
from tests.drawn import examples

_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.sampled_from(
    ["slot", "slot:", '"slot:', "\x00\u2028<&"]
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=8,
)
_NAMES = st.text(string.ascii_lowercase + string.digits + "-/", min_size=1, max_size=20) | _TEXTS
_ZONES = st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))])
_MOMENTS = st.builds(lambda zone, us: datetime.fromtimestamp(us / 1e6, zone), _ZONES, st.integers(0, 4 * 10**15))
_LINKS = st.builds(
    Links,
    st.sampled_from(
        ["", "http://127.0.0.1:8000", "https://a.example/prefix", 'http://odd"host\\', "http://é.example"]
    ),
    signed_events=st.sampled_from([None, lambda id_: f"expires=1&signature={id_}", lambda _: 'odd"\n']),
)
_USUAL = st.fixed_dictionaries(
    {
        "id": st.uuids(),
        "environment": _NAMES,
        "kind": _NAMES,
        "provider": _NAMES,
        "model": _NAMES,
        "input": st.dictionaries(_TEXTS, _JSON, max_size=4),
    },
    optional={
        "priority": st.sampled_from(Priority),
        "metadata": st.dictionaries(_TEXTS, _TEXTS, max_size=3),
        "webhook_url": _TEXTS,
        "deadline_s": st.floats(1, 1e6),
        "price_usd": st.decimals(0, 100, places=4),
        "idempotency_key": _TEXTS,
        "owner": _TEXTS,
    },
)
_ROUTE = TaskRoute("cheapest", (RouteTarget("sandbox/noop"),), frozenset())
_SELDOM = st.fixed_dictionaries(
    {},
    optional={
        "run_at": _MOMENTS,
        "depends_on": st.lists(st.uuids(), max_size=2).map(tuple),
        "batch_id": st.uuids(),
        "retain_s": st.integers(0, 10**6),
        "route": st.just(_ROUTE),
        "deadline_is_for_start": st.booleans(),
    },
)


@given(_USUAL, _SELDOM, _MOMENTS, st.none() | _MOMENTS, _LINKS)
@settings(max_examples=examples(400))
def test_a_new_task_is_told_of_as_any_other(usual, seldom, created_at, next_try_at, links):
    task = NewTask(**usual, **seldom).queued(created_at, None, next_try_at)
    assert new_task_json(task, links) == TaskDocument.of(task, links).model_dump_json().encode()
