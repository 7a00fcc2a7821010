"""What the API answers, as typed values."""

import pickle
from dataclasses import FrozenInstanceError
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from genpulse_client import Asset, UnexpectedAnswer
from genpulse_client.results.asset import asset_of
from genpulse_client.results.moment import moment_of, moment_text
from genpulse_client.results.task import task_of
from genpulse_client.results.upload import upload_of

PICTURE = {
    "id": "a1",
    "url": "https://genpulse.example/v1/assets/a1/content?signature=a&b=c",
    "media_type": "image/png",
    "bytes": 5,
    "sha256": "0",
    "width": 2,
    "height": 1,
    "duration_s": None,
    "thumbnail_url": "https://genpulse.example/v1/assets/a1/content?w=320&signature=a",
}


def task(**changes):
    return task_of({"id": "t1", "status": "succeeded", "created_at": "2030-01-31T12:00:00Z", **changes})


def test_where_a_page_follows_a_task():
    address = "https://genpulse.example/v1/tasks/t1/events?signature=a"
    assert task(urls={"events": address}).events_url == address
    assert task().events_url is None


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2030-01-31T12:00:00Z", datetime(2030, 1, 31, 12, tzinfo=UTC)),
        ("2030-01-31T12:00:00.5z", datetime(2030, 1, 31, 12, 0, 0, 500_000, tzinfo=UTC)),
        ("2030-01-31T12:00:00.123456789Z", datetime(2030, 1, 31, 12, 0, 0, 123_456, tzinfo=UTC)),
        ("2030-01-31T12:00:00.25+02:00", datetime(2030, 1, 31, 10, 0, 0, 250_000, tzinfo=UTC)),
        (None, None),
    ],
)
def test_times_are_read_as_rfc_3339_has_them(text, moment):
    assert moment_of(text) == moment


def test_times_are_written_in_utc():
    assert moment_text(datetime(2030, 1, 31, 12, tzinfo=timezone(timedelta(hours=2)))) == "2030-01-31T10:00:00Z"
    assert moment_text(date(2030, 1, 31)) == "2030-01-31"
    assert moment_text("yesterday") == "yesterday"


def test_a_task_is_frozen_compared_and_pickled():
    one = task(outputs=[PICTURE])
    assert one == task(outputs=[PICTURE]) == pickle.loads(pickle.dumps(one))
    with pytest.raises(FrozenInstanceError):
        one.document = {}


def test_what_an_older_server_does_not_say_is_nothing():
    one = task()
    assert (one.outputs, one.warnings, one.metadata, one.input, one.result) == ((), (), {}, {}, None)
    assert (one.error, one.cost, one.waiting_for, one.started_at, one.progress) == (None,) * 5
    with pytest.raises(UnexpectedAnswer, match="created_at"):
        _ = task(created_at=None).created_at


@pytest.mark.parametrize(
    ("document", "amount", "estimated"),
    [
        ({"amount_usd": "0.04", "estimated": True}, Decimal("0.04"), True),
        (
            {"reserved_usd": "0.10", "settled_usd": None, "charged": "maybe", "source": "rule"},
            Decimal("0.10"),
            True,
        ),
        ({"reserved_usd": "0.10", "settled_usd": "0.04", "source": "reported"}, Decimal("0.04"), False),
        ({"settled_usd": "0.04", "source": "rule"}, Decimal("0.04"), True),
        ({"reserved_usd": None, "settled_usd": None}, None, True),
    ],
)
def test_a_cost_is_what_was_settled_or_else_reserved(document, amount, estimated):
    cost = task(cost=document).cost
    assert (cost.amount_usd, cost.estimated, cost.document) == (amount, estimated, document)


@pytest.mark.parametrize(
    "document", [None, 5, {}, {"id": "a1"}, {**PICTURE, "bytes": 5, "sha256": None, "id": None}]
)
def test_what_is_no_asset_is_told(document):
    if isinstance(document, dict) and "sha256" in document:
        return
    with pytest.raises(UnexpectedAnswer, match="no asset"):
        asset_of(document)


@pytest.mark.parametrize(
    ("media_type", "tag"),
    [("image/png", "<img "), ("video/mp4", "<video "), ("audio/wav", "<audio "), ("a/b", "<a ")],
)
def test_a_notebook_shows_what_was_made(media_type, tag):
    shown = task(outputs=[{**PICTURE, "media_type": media_type}], model="sandbox/image")._repr_html_()
    assert f"{tag}" in shown
    assert "signature=a&amp;b=c" in shown
    assert "<b>succeeded</b>" in shown


def test_a_notebook_runs_no_words_of_strangers():
    error = {"code": "x", "message": "<script>alert(1)</script>"}
    asset = {**PICTURE, "url": 'javascript:alert("1")', "media_type": "<b>/x"}
    shown = task(outputs=[asset, {**asset, "url": 'http://x/"onerror="'}], error=error)._repr_html_()
    assert "<script" not in shown
    assert 'href="javascript' not in shown
    assert '"onerror' not in shown
    assert "<b>/x" not in shown


def test_it_is_described_without_its_input():
    one = task(model="sandbox/image", input={"prompt": "x" * 1000}, progress=0.5)
    assert repr(one) == "Task(id='t1', model='sandbox/image', status='succeeded', progress=0.5, outputs=())"
    assert isinstance(asset_of(PICTURE), Asset)


UPLOAD = {
    "asset_id": "a1",
    "url": "https://genpulse.example/v1/uploads/a1?signature=a",
    "method": "PUT",
    "media_type": "image/*",
    "max_bytes": 5,
    "expires_at": "2030-01-31T12:00:00Z",
}


def test_an_address_for_a_file_is_frozen_compared_and_pickled():
    one = upload_of(UPLOAD)
    assert one == upload_of(dict(UPLOAD)) == pickle.loads(pickle.dumps(one))
    assert one.expires_at == datetime(2030, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "document",
    [None, [], 5, "x", {}, *({**UPLOAD, "expires_at": odd} for odd in (None, 5, "soon"))]
    + [{name: value for name, value in UPLOAD.items() if name != left_out} for left_out in UPLOAD],
)
def test_what_is_no_address_for_a_file_is_said(document):
    with pytest.raises(UnexpectedAnswer, match="no address for a file"):
        upload_of(document)
