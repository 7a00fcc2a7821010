"""What the client makes of answers that are none of GenPulse's, and of connections that break."""

import asyncio
import gc
import hashlib
import json
from asyncio.selector_events import _SelectorSocketTransport
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from genpulse.dev.processes.ports import free_port
from genpulse_client import (
    ApiRefused,
    ApiTimeout,
    ApiUnreachable,
    AsyncGenPulse,
    DownloadBroken,
    Order,
    RetryLimits,
    UnexpectedAnswer,
)
from genpulse_client.results.asset import asset_of
from tests.fakes.raw import answer, redirect

TASK = {"id": "0193a1b2", "model": "art/easel", "status": "queued", "progress": None, "outputs": []}
DONE = {**TASK, "status": "succeeded"}
CONTENT = b"0123456789" * 1000
ASSET = asset_of(
    {
        "id": "a1",
        "url": "http://x/a1",
        "media_type": "text/plain",
        "bytes": len(CONTENT),
        "sha256": hashlib.sha256(CONTENT).hexdigest(),
    }
)
HTML = answer(200, b"<html><h1>Welcome to the proxy", {"Content-Type": "text/html"})


def shown(document, status=200, **headers):
    """An answer of GenPulse."""
    return answer(status, json.dumps(document).encode(), {"Content-Type": "application/json", **headers})


def problem(status, code, **headers):
    document = {"type": "x", "title": "No", "status": status, "detail": f"It is {code}.", "code": code}
    return shown(document, status, **{name.replace("_", "-"): value for name, value in headers.items()})


def in_turn(*answers):
    """One answer after the other; the last one stays."""
    left = list(answers)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


def stream(*events, media_type="text/event-stream", tail=b""):
    """A stream that ends behind these events."""
    text = "".join(
        f"id: {number}\nevent: {name}\ndata: {json.dumps(data)}\n\n"
        for number, (name, data) in enumerate(events, 1)
    )
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {media_type}\r\nConnection: close\r\n\r\n"
    return head.encode() + text.encode() + tail


def cut(*events):
    """A stream whose connection breaks behind these events."""
    head, _, body = stream(*events).partition(b"\r\n\r\n")
    return head + b"\r\nTransfer-Encoding: chunked\r\n\r\n" + f"{len(body):x}\r\n".encode() + body + b"\r\n"


def after(seconds):
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("form", ["0", "1", "a date", "nonsense", "-5", None])
async def test_a_busy_api_is_waited_for_as_it_asks(odd, client, status, form):
    value = after(0.2) if form == "a date" else form
    headers = {} if value is None else {"Retry_After": value}
    odd.answer = in_turn(problem(status, "busy", **headers), shown(TASK, 202))
    begun = asyncio.get_running_loop().time()
    assert (await client.submit("art/easel", {})).id == TASK["id"]
    assert asyncio.get_running_loop().time() - begun >= (1 if form == "1" else 0)
    keys = {asked.headers["idempotency-key"] for asked in odd.asked}
    assert (len(odd.asked), len(keys)) == (2, 1)


async def test_who_asks_for_too_long_is_not_waited_for(odd, client):
    odd.answer = lambda _: problem(429, "rate_limited", Retry_After="3600")
    with pytest.raises(ApiRefused) as refused:
        await client.submit("art/easel", {})
    assert (refused.value.retry_after_s, refused.value.code, len(odd.asked)) == (3600, "rate_limited", 1)


async def test_patience_has_an_end(odd, flavour):
    odd.answer = lambda _: problem(503, "unavailable", Retry_After="0")
    async with flavour(odd.url, retries=RetryLimits(busy_s=0.2)) as client:
        with pytest.raises(ApiRefused, match="It is unavailable"):
            await client.get("0193a1b2")
    async with flavour(odd.url, retries=RetryLimits(busy_s=0)) as client:
        odd.asked.clear()
        with pytest.raises(ApiRefused):
            await client.get("0193a1b2")
    assert len(odd.asked) == 1


async def test_a_retry_whose_answer_is_unknown_is_not_sent_again(odd, client):
    odd.answer = lambda _: problem(503, "unavailable", Retry_After="0")
    with pytest.raises(ApiRefused):
        await client.retry("0193a1b2")
    odd.answer = lambda _: b""
    with pytest.raises(ApiUnreachable):
        await client.retry("0193a1b2")
    assert len(odd.asked) == 2


async def test_a_submit_whose_answer_is_lost_is_sent_again_under_its_key(odd, client):
    odd.answer = in_turn(b"", b"HTTP/1.1 202 Accepted\r\nContent-Length: 500\r\n\r\n{", shown(TASK, 202))
    assert (await client.submit("art/easel", {"prompt": "a fox"})).id == TASK["id"]
    assert len({(asked.headers["idempotency-key"], asked.body) for asked in odd.asked}) == 1
    assert len(odd.asked) == 3


async def test_a_batch_is_sent_again_only_under_keys(odd, client):
    answers = [b"", shown({"data": [TASK]}, 202)]
    odd.answer = in_turn(*answers)
    assert len(await client.submit_batch([Order("art/easel", {})])) == 1
    assert len({asked.headers["idempotency-key"] for asked in odd.asked}) == 1
    odd.answer = in_turn(*answers)
    with pytest.raises(ApiUnreachable):
        await client.submit_batch([Order("art/easel", {}), Order("art/easel", {}, idempotency_key="two")])
    odd.answer = in_turn(*answers)
    assert len(await client.submit_batch([Order("art/easel", {})], idempotency_key="one")) == 1
    odd.answer = in_turn(*answers)
    assert len(await client.submit_batch([Order("art/easel", {}, idempotency_key="two")])) == 1
    assert json.loads(odd.asked[-1].body)["tasks"][0]["idempotency_key"] == "two"


async def test_nothing_at_an_address_is_told_at_once_but_for_a_submit(flavour):
    url = f"http://127.0.0.1:{free_port()}"
    async with flavour(url, retries=RetryLimits(unreachable_s=0.5)) as client:
        for call in (client.models(), client.get("x"), client.submit("art/easel", {}), client.wait("x")):
            with pytest.raises(ApiUnreachable, match=rf"^Nothing answers at {url} \(.*genpulse dev") as error:
                await call
            assert (error.value.code, error.value.sent, error.value.status) == ("unreachable", False, None)


async def test_a_silent_server_is_a_timeout_of_its_own(odd, flavour):
    forever = asyncio.Event()
    errors = []

    async def silence():
        await forever.wait()
        return b""

    odd.answer = lambda _: silence()
    async with flavour(odd.url, silence_s=0.2, retries=RetryLimits(unreachable_s=0)) as client:
        while not odd.asked:
            with pytest.raises(ApiTimeout) as error:
                await client.models()
            errors.append(error.value)
    forever.set()
    assert {error.code for error in errors} == {"timeout"}
    assert sum(error.sent for error in errors) >= len(odd.asked)


async def test_html_of_a_proxy_is_no_answer(odd, client):
    odd.answer = lambda _: HTML
    for call in (client.submit("art/easel", {}), client.models(), client.get("x"), client.wait("x")):
        with pytest.raises(UnexpectedAnswer, match="text/html") as error:
            await call
        assert (error.value.status, error.value.code) == (200, "unexpected_answer")
    odd.answer = lambda _: answer(403, b"<html>Forbidden by ACME", {"Content-Type": "text/html"})
    with pytest.raises(ApiRefused, match="403: <html>Forbidden by ACME") as refused:
        await client.get("x")
    assert (refused.value.code, refused.value.problem) == ("unknown", None)


async def test_json_that_is_none_of_ours_is_no_answer(odd, client):
    for document in (None, [], {}, {"id": 5, "status": "queued"}, {"data": {}}, "task"):
        odd.answer = lambda _, document=document: shown(document)
        for call in (client.get("x"), client.models(), client.usage(), client.upload(b"x")):
            with pytest.raises(UnexpectedAnswer):
                await call
        with pytest.raises(UnexpectedAnswer):
            await anext(client.list())
    odd.answer = lambda _: answer(422, b"[]", {"Content-Type": "application/json"})
    with pytest.raises(ApiRefused):
        await client.get("x")


async def test_a_redirect_is_not_followed_with_the_key(odd, client):
    odd.answer = lambda _: redirect("https://elsewhere.example/v1/tasks", 308)
    with pytest.raises(UnexpectedAnswer, match=r"leads to https://elsewhere\.example") as error:
        await client.submit("art/easel", {})
    assert error.value.status == 308
    assert len(odd.asked) == 1


async def test_a_huge_page_is_read(odd, client):
    tasks = [{**TASK, "id": str(number), "input": {"prompt": "x" * 30_000}} for number in range(100)]
    odd.answer = in_turn(
        shown({"data": tasks, "next_cursor": "second"}), shown({"data": tasks, "next_cursor": None})
    )
    found = [
        task.id async for task in client.list(metadata={"customer": "acme & co"}, status=["failed", "queued"])
    ]
    assert found == [str(number) for number in range(100)] * 2
    assert odd.targets[0] == "/v1/tasks?status=failed&status=queued&metadata.customer=acme+%26+co&limit=100"
    assert odd.targets[1].endswith("&cursor=second")


async def test_an_empty_page_is_not_the_last_one(odd, client):
    odd.answer = in_turn(shown({"data": [], "next_cursor": "more"}), shown({"data": [TASK], "next_cursor": None}))
    assert len([task async for task in client.list()]) == 1


async def test_a_stream_that_breaks_is_taken_up_where_it_was(odd, client):
    progress = {"task_id": "x", "progress": 0.5, "message": "half"}
    odd.answer = in_turn(
        cut(("task", TASK), ("progress", progress)),
        problem(503, "unavailable", Retry_After="0"),
        b"",
        stream(("done", DONE)),
    )
    events = [event async for event in client.watch("0193a1b2")]
    assert [event.task.status if event.task else event.progress for event in events] == [
        "queued",
        0.5,
        "succeeded",
    ]
    resumed = [asked.headers.get("last-event-id") for asked in odd.asked]
    assert resumed == [None, "2", "2", "2"]


async def test_the_stream_of_a_batch_that_breaks_is_taken_up_where_it_was(odd, client):
    batch = {"id": "b1", "total": 2, "counts": {"succeeded": 1, "queued": 1}, "ended": False}
    ended = {**batch, "counts": {"succeeded": 2}, "ended": True}
    answers = iter(
        [
            cut(("batch", batch), ("end", DONE)),
            problem(503, "unavailable", Retry_After="0"),
            stream(("batch", batch), ("end", DONE)),
            shown(ended),
            stream(("batch", ended), ("end", DONE), ("done", ended)),
        ]
    )
    odd.answer = lambda _: next(answers)
    events = [event async for event in client.watch_batch("b1")]
    assert [event.task.status if event.task else event.batch.ended for event in events] == [
        *(False, "succeeded"),
        *(False, "succeeded"),
        *(True, "succeeded", True),
    ]
    assert [event.is_last for event in events] == [False] * 6 + [True]
    assert [asked.headers.get("last-event-id") for asked in odd.asked] == [None, "2", "2", None, "2"]


async def test_a_stream_that_ends_early_is_followed_by_a_look(odd, client):
    def given(asked):
        return stream(("task", TASK)) if asked.target.endswith("/events") else shown(DONE)

    odd.answer = given
    assert (await client.wait("0193a1b2")).status == "succeeded"


async def test_events_that_nobody_knows_are_passed_over(odd, client):
    odd.answer = lambda _: stream(("hello", {}), ("task", TASK), ("done", DONE), tail=b": bye\n\ndata: 1")
    assert len([event async for event in client.watch("0193a1b2")]) == 2


@pytest.mark.parametrize(
    "tail", [b"event: task\ndata: {\n\n", b"event: progress\ndata: 5\n\n", b"event: done\ndata: []\n\n"]
)
async def test_garbage_in_a_stream_is_no_event(odd, client, tail):
    odd.answer = lambda _: stream(("task", TASK), tail=tail)
    with pytest.raises(UnexpectedAnswer):
        await client.wait("0193a1b2")


async def test_a_line_without_an_end_is_given_up(odd, client):
    odd.answer = lambda _: stream(tail=b"data: " + b"x" * (17 << 20))
    with pytest.raises(UnexpectedAnswer, match="longer than"):
        await client.wait("0193a1b2")


async def test_a_download_that_breaks_goes_on_where_it_was(odd, client, tmp_path):
    def given(asked):
        start = int(asked.headers.get("range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
        end = min(start + 4000, len(CONTENT))
        return answer(206 if start else 200, CONTENT[start:end], length=len(CONTENT) - start)

    odd.answer = given
    path = await client.download(ASSET, tmp_path / "file")
    assert path.read_bytes() == CONTENT
    assert [asked.headers.get("range") for asked in odd.asked] == [None, "bytes=4000-", "bytes=8000-"]


async def test_a_server_without_ranges_sends_it_all_again(odd, client, tmp_path):
    odd.answer = in_turn(answer(200, CONTENT[:7000], length=len(CONTENT)), answer(200, CONTENT))
    assert (await client.download(ASSET, tmp_path / "file")).read_bytes() == CONTENT


async def test_other_bytes_are_not_saved(odd, client, tmp_path):
    odd.answer = lambda _: answer(200, b"other" * 2000)
    (tmp_path / "file").write_text("before")
    with pytest.raises(DownloadBroken):
        await client.download(ASSET, tmp_path / "file")
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("file", "before")]


async def test_what_is_deleted_has_no_body(odd, client):
    odd.answer = lambda _: answer(204)
    assert await client.delete("0193a1b2") is None
    assert await client.delete(ASSET) is None
    assert [(asked.method, asked.target) for asked in odd.asked] == [
        ("DELETE", "/v1/tasks/0193a1b2"),
        ("DELETE", "/v1/assets/a1"),
    ]


async def test_usage_is_asked_for_by_time_and_group(odd, client):
    odd.answer = lambda _: shown({"data": [{"day": "2030-01-31", "tasks": 2}]})
    usage = await client.usage(
        since="2030-01-01", until=datetime(2030, 2, 1, tzinfo=UTC), group_by=["day", "model"]
    )
    assert [row["tasks"] for row in usage.rows] == [2]
    assert odd.targets == ["/v1/usage?from=2030-01-01&to=2030-02-01T00%3A00%3A00Z&group_by=day%2Cmodel"]


async def test_the_key_and_the_client_are_named(odd, client):
    odd.answer = lambda _: shown({"data": []})
    await client.models()
    assert odd.asked[0].headers["authorization"] == "Bearer gp_dev_key"
    assert odd.asked[0].headers["user-agent"].startswith("genpulse-client/")


def resting(asked):
    """An answer behind which the connection is kept."""
    return answer(200, b'{"data": []}', {"Connection": "keep-alive"})


def left_open():
    """Transports of loops that have ended, whose sockets nobody has closed."""
    found = [each for each in gc.get_objects() if type(each) is _SelectorSocketTransport]
    return [each for each in found if each._sock is not None and each._loop.is_closed()]


async def test_an_async_client_may_move_to_another_loop_and_leaves_nothing_open(odd):
    odd.answer = resting
    client = AsyncGenPulse(odd.url)
    for _ in range(3):
        await asyncio.to_thread(asyncio.run, client.models())
        await client.models()
    assert left_open() == []
    await client.aclose()
    assert len(odd.asked) == 6


async def test_an_async_client_that_nobody_has_any_more_closes_itself(odd):
    odd.answer = resting
    client = AsyncGenPulse(odd.url)
    await client.models()
    [http] = [kept.http for kept in client._connection.session._by_loop.values()]
    del client
    gc.collect()
    while not http.is_closed:
        await asyncio.sleep(0.01)


async def test_loops_at_the_same_time_do_not_close_the_calls_of_one_another(odd):
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(asked):
        begun.set()
        await go_on.wait()
        return resting(asked)

    odd.answer = lambda asked: slowly(asked) if not begun.is_set() else resting(asked)
    client = AsyncGenPulse(odd.url)
    here = asyncio.create_task(client.models())
    await begun.wait()
    await asyncio.to_thread(asyncio.run, client.models())
    go_on.set()
    assert await here == ()
    await client.aclose()


@pytest.mark.filterwarnings("ignore:asynchronous generator:ResourceWarning")
async def test_clients_in_generators_that_their_loop_closes_call_once_more_and_are_closed(odd):
    """The loop closes all generators at once, and that of the client's connections with them."""
    odd.answer = resting
    errors = []

    async def cleaning():
        async with AsyncGenPulse(odd.url) as client:
            await client.models()
            try:
                yield
            finally:
                await client.models()

    open_ones = [cleaning() for _ in range(6)]

    async def main():
        asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context))
        for generator in open_ones:
            await anext(generator)

    await asyncio.to_thread(asyncio.run, main())
    assert (errors, len(odd.asked)) == ([], 12)
    assert left_open() == []
