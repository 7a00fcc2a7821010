"""Tasks in plain words."""

import io
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from genpulse.cli.output.progress import Bars
from genpulse.cli.tasks.text import print_task, span, standing_of
from genpulse_client import Event, Task

NOW = datetime(2030, 1, 31, 12, tzinfo=UTC)
SAID = {"code": "provider_unavailable", "message": "The provider answered 503.", "charged": "no"}


def after(seconds):
    return (NOW + timedelta(seconds=seconds)).isoformat()


def task(status="running", **facts):
    plain = {
        "id": "t",
        "kind": "text-to-image",
        "model": "art/easel",
        "status": status,
        "attempt": 1,
        "failures": 0,
        "input": {},
        "error": None,
        "created_at": after(-60),
        "finished_at": None,
    }
    return Task({**plain, **facts})


def waits(what, since_s=-61, **facts):
    return task(waiting_for={"what": what, "since": after(since_s)}, **facts)


@pytest.mark.parametrize(
    ("shown", "words"),
    [
        (task(), ""),
        (task(last_error=SAID), ""),
        (waits("worker", status="queued"), "waits for a worker, for 1 min 1 s"),
        (
            waits("next_attempt", status="queued", next_try_at=after(4), last_error=SAID),
            "waits for the next attempt, due in 4 s: The provider answered 503.",
        ),
        (waits("next_attempt", status="queued", next_try_at=after(-4)), "waits for the next attempt, due now"),
        (waits("storage"), "waits for the storage, which is away or full, for 1 min 1 s"),
        (waits("what a newer API knows"), "waits for what a newer API knows, for 1 min 1 s"),
        (task(cancel_requested_at=after(-1)), "somebody wants it to stop"),
        (
            waits("worker", since_s=-1, status="queued", cancel_requested_at=after(-1)),
            "somebody wants it to stop; waits for a worker, for 1 s",
        ),
        (waits("worker", status="canceled", cancel_requested_at=after(-1)), ""),
    ],
)
def test_what_keeps_a_task_is_said_in_plain_words(shown, words):
    assert standing_of(shown, NOW) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        *((0, "0 s"), (59.4, "59 s"), (59.6, "1 min 0 s"), (3599, "59 min 59 s"), (3600, "1 h 0 min")),
        *((47 * 3600, "47 h 0 min"), (48 * 3600, "2 days")),
    ],
)
def test_times_are_said_in_one_or_two_units(seconds, words):
    assert span(seconds) == words


def test_all_facts_are_printed(capsys):
    print_task(waits("storage", failures=2, attempt=3, progress=0.5), as_json=False)
    printed = capsys.readouterr().out
    assert "attempt   3, 2 failed" in printed
    assert "status    running, 50%" in printed
    assert "          waits for the storage, which is away or full, for " in printed


def test_a_route_is_told_a_line_for_each_model(capsys):
    hop = {"attempt": 1, "code": "provider_unavailable", "message": "no\nroom", "charged": "no"}
    skipped = {**hop, "attempt": 0, "code": "circuit_open", "message": "left alone"}
    targets = [{"model": f"{name}/m"} for name in "abcd"]
    hops = [{"model": "a/m", **hop}, {"model": "b/m", **skipped}]
    print_task(
        task(route={"name": "portrait", "place": 2, "targets": targets, "hops": hops}, model="c/m"), as_json=False
    )
    lines = capsys.readouterr().out.splitlines()
    first = lines.index("route     portrait")
    assert [line.strip() for line in lines[first + 1 : first + 5]] == [
        "a/m: left after attempt 1, provider_unavailable: no room (charged: no)",
        "b/m: left before any attempt, circuit_open: left alone (charged: no)",
        "c/m: it is here",
        "d/m: next, if need be",
    ]
    ended = {"name": None, "place": 0, "targets": targets[:2], "hops": []}
    print_task(task(route=ended, model="a/m", status="succeeded"), as_json=False)
    printed = capsys.readouterr().out
    assert ("a/m: it ended here" in printed, "b/m: not tried" in printed) == (True, True)
    print_task(task(), as_json=False)
    assert "route" not in capsys.readouterr().out


def test_a_watcher_is_told_once_of_each_change():
    out = io.StringIO()
    with Bars(Console(file=out, width=200)) as bars:
        bar = bars.follow("art/easel")
        queued = waits("worker", status="queued", attempt=0)
        later = waits("next_attempt", status="queued", next_try_at=after(4), last_error=SAID)
        for shown in (
            queued,
            task(progress=0.1),
            later,
            later,
            task(last_error=SAID, attempt=2),
            waits("storage"),
        ):
            bar(Event("1", shown, None, None))
    lines = out.getvalue().splitlines()
    assert [line.partition(",")[0] for line in lines] == [
        "art/easel: 10%",
        "art/easel: waits for the next attempt",
        "art/easel: waits for the storage",
    ]
