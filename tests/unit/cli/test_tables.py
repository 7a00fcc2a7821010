"""Every table of the command line, at every width: nothing is cut, and nothing moves the terminal."""

import unicodedata
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from genpulse.branching.git.refs import Ref
from genpulse.branching.topics.open_topics import Topic
from genpulse.cli import providers
from genpulse.cli.catalogue import show
from genpulse.cli.flow import picture
from genpulse.cli.keys.text import key_table
from genpulse.cli.money import budgets
from genpulse.cli.output.moments import moment_text
from genpulse.cli.output.table import Column, Table, _folded
from genpulse.cli.tasks import command
from genpulse.domain.keys.api_key import ApiKey, KeyLimits, Scope
from genpulse.domain.money.allowance import ScopeUsage
from genpulse.domain.text.storable import showable, showable_line
from genpulse_client import Task
from tests.drawn import examples

NOW = datetime(2030, 1, 31, 12, tzinfo=UTC)
WIDTHS = [None, *range(20, 201)]
HOSTILE = "\x1b[2J\x1b]0;title\x07 \u202egnp.x \x9b31m \u2066 \r\n forged \x00 \ud83d"
LONG = "a description of several words that goes on and on, in 漢字 as well, " * 3
ID = "0193a1b2-c3d4-7e5f-8a9b-{:012x}"


def task(number, **facts):
    status = facts.get("status", "failed")
    document = {
        "id": ID.format(number),
        "created_at": (NOW - timedelta(days=number)).isoformat(),
        "error": {"code": f"provider_unavailable{HOSTILE}", "message": HOSTILE, "charged": "unknown"},
        "waiting_for": {"what": f"storage {HOSTILE}", "since": NOW.isoformat()},
        "last_error": {"code": "x", "message": LONG + HOSTILE, "charged": "no"},
        **facts,
    }
    return Task({**document, "model": f"comfyui/a-long-name-{number}", "status": status, "progress": 0.5})


def key(number):
    limits = KeyLimits(max_active_tasks=10, daily_tasks=1000)
    used = NOW - timedelta(days=number)
    name = f"{LONG}{HOSTILE}"
    return ApiKey(UUID(ID.format(number)), name, "gp_dev_ab", frozenset(Scope), NOW, limits, last_used_at=used)


KEYS = [key(1), key(2)]
USAGES = {each.id: ScopeUsage(1, 20, Decimal(3)) for each in KEYS}
BUDGETS = [
    {
        "scope": "key",
        "name": ID.format(number),
        "key_name": None,
        "measure": "usd",
        "period": "month",
        "used": "123456.789012",
        "limit": "1000000",
        "resets_at": NOW.isoformat(),
    }
    for number in range(3)
]
TASKS = [task(number, status=status) for number, status in enumerate(("running", "failed", "canceled", "queued"))]
MODELS = [
    {"id": f"vendor/model-{number}", "kinds": ["text-to-image", "image-to-image"], "description": LONG + HOSTILE}
    for number in range(3)
]
FIELDS = {
    f"field_{number}": {"title": "Title", "description": LONG + HOSTILE, "enum": ["one", "two"]}
    for number in range(3)
}
PROVIDERS = [
    {
        "name": f"vendor{number}",
        "configured": True,
        "allowed": False,
        "models": [f"vendor{number}/{model}{HOSTILE}" for model in range(20)],
        "circuit": {"state": "open"},
        "limits": {"rate": "5/s", "concurrency": 3},
    }
    for number in range(3)
]
BRANCHES = [f"feature/{number}-{'x' * 30}" for number in range(3)]
TOPICS = [Topic(Ref(name, "", "", "a" * 40, "", False, "", 0.0, HOSTILE), (), (), False) for name in BRANCHES]

TABLES = {
    "tasks list": (command._table(TASKS, NOW), [each.id for each in TASKS]),
    "tasks list --failed": (command._failed_table(TASKS, NOW), [each.id for each in TASKS]),
    "keys list": (
        key_table(KEYS, {each.id: ScopeUsage(1, 20, Decimal(3)) for each in KEYS}, NOW),
        [ID.format(1), ID.format(2)],
    ),
    "budgets": (budgets._table(BUDGETS), [f"key {each['name']}" for each in BUDGETS]),
    "models": (show._list(MODELS), [each["id"] for each in MODELS]),
    "models MODEL": (
        show._inputs({"id": "m", "description": LONG, "input_schema": {"properties": FIELDS}}),
        list(FIELDS),
    ),
    "flow status": (picture._topic_table(TOPICS), BRANCHES),
    "providers": (providers._table(PROVIDERS), [each["name"] for each in PROVIDERS]),
}


def is_calm(text):
    """Whether nothing in it acts on a terminal: no control character and no mark of direction."""
    return all(unicodedata.category(sign) not in {"Cc", "Cf", "Cs", "Zl", "Zp"} for sign in text)


@pytest.mark.parametrize("name", TABLES)
def test_names_are_whole_at_every_width(name):
    table, ids = TABLES[name]
    for width in WIDTHS:
        lines = table.laid_out(width).plain.split("\n")
        for wanted in ids:
            assert sum(line.split("  ")[0] == wanted for line in lines) == 1, (width, wanted)
        assert all(map(is_calm, lines))
        if width is not None and width >= 40:
            assert max(map(cell_len, lines)) <= width, (width, lines)


@pytest.mark.parametrize("name", TABLES)
def test_a_pipe_gets_everything_in_a_line_for_each(name):
    table, ids = TABLES[name]
    lines = table.laid_out(None).plain.split("\n")
    assert len(lines) == table._headed + len(ids)
    assert table.left_out(None) == ()
    for row, line in zip(table._rows, lines[table._headed :], strict=True):
        assert all(cell.text in line for cell in row)


@pytest.mark.parametrize("name", TABLES)
def test_what_is_left_out_is_told_and_a_wide_terminal_has_it_all(name):
    table, _ = TABLES[name]
    assert table.left_out(20)
    assert table.left_out(200) == ()
    left_out = [len(table.left_out(width)) for width in range(20, 201)]
    assert left_out == sorted(left_out, reverse=True)


TEXTS = st.text(st.characters(codec="utf-8"), max_size=60) | st.sampled_from([HOSTILE, LONG])


@settings(max_examples=examples(50), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example(rows=[("", "\N{EMOJI MODIFIER FITZPATRICK TYPE-1-2}", "")], width=None, ranks=(0, 0))
@given(
    rows=st.lists(st.tuples(TEXTS, TEXTS, TEXTS), max_size=6),
    width=st.integers(20, 200) | st.none(),
    ranks=st.tuples(st.integers(0, 3), st.integers(0, 3)),
)
def test_any_table(rows, width, ranks):
    table = Table(Column("id"), Column("b", rank=ranks[0], folds=True), Column("c", rank=ranks[1]))
    for row in rows:
        table.add(*row)
    lines = table.laid_out(width).plain.split("\n")
    for first, *_ in rows:
        assert any(line.startswith(showable_line(first)) for line in lines)
    assert all(showable(line) == line for line in lines)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=TEXTS, width=st.integers(1, 80))
def test_folded_words_are_whole(text, width):
    plain = showable_line(text)
    lines = _folded(plain, width)
    assert "".join("".join(lines).split()) == "".join(plain.split())
    assert max(map(cell_len, lines)) <= max(width, 2)
    for word in plain.split():
        assert cell_len(word) > width or any(word in line for line in lines)


def test_moments_have_a_date_where_it_is_not_today():
    assert moment_text(NOW - timedelta(hours=1), NOW) == "11:00:00"
    assert moment_text(NOW - timedelta(hours=13), NOW) == "2030-01-30 23:00:00"
    assert moment_text(NOW + timedelta(hours=13), NOW) == "2030-02-01 01:00:00"
