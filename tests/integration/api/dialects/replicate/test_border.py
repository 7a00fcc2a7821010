"""Nothing that a caller sends is an error of ours: every call of the door, with words that it does not expect."""

import itertools
import json
import re
from urllib.parse import quote

import pytest

WORDS = (
    "x",
    "0193a1b2-c3d4-7000-8000-000000000000",
    "%00",
    "%2F",
    "%C3%A4%FF",
    "a" * 3000,
    "..",
    "art/easel",
    "art%2Feasel:00",
    "'; DROP TABLE tasks; --",
)
BODIES = (
    b"",
    b"{}",
    b"[]",
    b"null",
    b'"x"',
    b"\xff\xfe",
    b'{"input": {}}',
    b'{"input": null, "version": 5}',
    b'{"input": {"prompt": "\\u0000"}}',
    b'{"input": {"prompt": "\\ud800"}}',
    b'{"input": {"prompt": "a"}, "version": ""}',
    b'{"input": {"prompt": "a"}, "webhook": "https://[::1", "stream": "yes"}',
    b'{"input": {"prompt": "a", "prompt": "b"}}',
    b'{"input": ' + b"[" * 5000 + b"]" * 5000 + b"}",
    json.dumps({"input": {"prompt": "a"}, "webhook_events_filter": ["start"] * 30}).encode(),
)
HEADERS = (
    {},
    {"Content-Type": "application/json", "Prefer": "wait=-1", "Cancel-After": "never"},
    {"Content-Type": "multipart/form-data; boundary=%FF", "X-Stainless-Retry-Count": "often"},
    {"Content-Type": "application/json", "Idempotency-Key": "ü", "Last-Event-ID": "1:x"},
    {"Content-Type": "application/json", "Content-Encoding": "gzip"},
)
QUERIES = ("", "?cursor=%00", "?cursor=x&cursor=y", "?signature=x&expires=9", "?created_after=soon", "?query=%FF")


def calls_of(door):
    """Method and path of each call, as a pattern."""
    return sorted({(call.method, call.path) for _, call in door._calls})


@pytest.mark.parametrize("turn", range(len(WORDS)))
async def test_no_call_fails_whatever_is_sent(served, door, turn):
    rounds = zip(
        calls_of(door),
        itertools.cycle(BODIES[turn:] + BODIES[:turn]),
        itertools.cycle(HEADERS[turn % len(HEADERS) :] + HEADERS[: turn % len(HEADERS)]),
        itertools.cycle(QUERIES[turn % len(QUERIES) :] + QUERIES[: turn % len(QUERIES)]),
        strict=False,
    )
    for (method, template), body, headers, query in rounds:
        path = re.sub(r"\{[^}]*\}", quote(WORDS[turn], safe="/:%'"), template)
        sent = {} if method == "GET" else {"data": body}
        answer = await served.call(method, f"/replicate{path}{query}", encoded=True, headers=headers, **sent)
        assert answer.status < 500, (method, path[:200], body[:80], headers, query, answer.body[:500])
        if answer.status >= 400 and answer.headers.get("Content-Type") == "application/problem+json":
            assert {"title", "detail", "status"} <= answer.json.keys()


@pytest.mark.parametrize(
    "path", ["predictions", "models/art/easel/predictions", "deployments/a/b/predictions", "files"]
)
async def test_no_body_is_an_error_of_ours(served, path):
    for body, headers in itertools.product(BODIES, HEADERS):
        answer = await served.post(f"/replicate/v1/{path}", data=body, headers=headers)
        assert answer.status < 500, (body[:80], headers, answer.body[:500])
