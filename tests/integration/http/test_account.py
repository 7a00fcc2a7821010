"""What answers mean to an order and to a question, over a real socket."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genpulse.adapters.http.http_client import HttpClient
from genpulse.domain.errors import (
    AuthenticationFailed,
    InvalidInput,
    ModerationBlocked,
    ProviderError,
    ProviderRejected,
    ProviderUnavailable,
    ProviderUnreachable,
    QuestionRefused,
    QuotaExhausted,
    RateLimited,
    UnknownOutcome,
)
from genpulse.domain.failure import Actor, Charged, FailureCode
from genpulse.provider.account import Account
from genpulse.provider.http import AnswerLost, AnswerTooLarge, AnswerUnusable, Part
from tests.drawn import examples
from tests.fakes.raw import RawServer, answer

SECRET = "r8_secret-of-the-operator"
KEY = {"Authorization": f"Bearer {SECRET}"}
JSON = {"Content-Type": "application/json"}


class Border:
    """An account at a server that answers with any bytes, on a loop of its own."""

    def __init__(self, runner: asyncio.Runner, raw: RawServer) -> None:
        self.runner = runner
        self.raw = raw
        self.http = HttpClient("1.0")

    def account(self, **changes) -> Account:
        return Account(self.http, self.raw.url, KEY, **changes)

    def told(self, coroutine) -> object:
        """What is given or raised, and nothing is asked twice."""
        self.raw.asked.clear()
        try:
            found = self.runner.run(coroutine)
        except (ProviderError, AnswerLost) as error:
            found = error
        assert len(self.raw.asked) == 1
        return found

    def order(self, given: bytes, **changes) -> object:
        self.raw.answer = lambda _: given
        return self.told(self.account(**changes).order("/jobs", json={"prompt": "a fox"}))

    def ask(self, given: bytes, of_job=None, method="POST", **changes) -> object:
        self.raw.answer = lambda _: given
        return self.told(self.account(**changes).ask(method, "/jobs/1", of_job=of_job))

    def probe(self, given: bytes, **changes) -> object:
        self.raw.answer = lambda _: given
        return self.told(self.account(**changes).probe("GET", "/account"))


@pytest.fixture(scope="module")
def border() -> Iterator[Border]:
    with asyncio.Runner() as runner:
        raw = RawServer()
        running = raw.running()
        runner.run(running.__aenter__())
        border = Border(runner, raw)
        yield border
        runner.run(border.http.close())
        runner.run(running.__aexit__(None, None, None))


def refused(status: int, body: object = None, headers=None) -> bytes:
    return answer(status, json.dumps(body or {"detail": "no"}).encode(), JSON | (headers or {}))


PROVED = [400, 401, 402, 403, 404, 405, 406, 410, 411, 413, 415, 418, 422, 424, 426, 428, 431, 451]
OPEN = [300, 301, 302, 307, 408, 409, 423, 425, 460, 499, 500, 501, 502, 503, 504, 520, 524, 529, 599]
BODIES = [{"detail": "no"}, {"error": {"message": "no", "code": "x"}}, {"detail": [{"msg": "no"}]}, []]


@pytest.mark.parametrize("body", BODIES, ids=str)
@pytest.mark.parametrize("status", PROVED)
def test_a_refused_order_was_not_taken(border, status, body):
    error = border.order(refused(status, body))
    assert isinstance(error, ProviderError)
    assert not isinstance(error, UnknownOutcome)
    assert error.charged is Charged.NO


@pytest.mark.parametrize("body", BODIES, ids=str)
@pytest.mark.parametrize("status", OPEN)
def test_every_other_answer_to_an_order_leaves_it_open(border, status, body):
    def explain(_):
        return ProviderUnavailable("try again")

    for changes in ({}, {"explain": explain}):
        error = border.order(refused(status, body), **changes)
        assert isinstance(error, UnknownOutcome)
        assert error.charged is Charged.MAYBE
        assert str(status) in error.message


def test_an_order_that_is_answered_by_not_modified_is_open(border):
    assert isinstance(border.order(answer(304)), UnknownOutcome)
    assert isinstance(border.order(refused(304)), AnswerLost)


def test_what_a_vendor_decides_early_is_its_data(border):
    for early, expected in ((frozenset({429, 503}), ProviderUnavailable), (frozenset({429}), UnknownOutcome)):
        assert isinstance(border.order(refused(503), early=early), expected)
    assert isinstance(border.order(refused(429, headers={"Retry-After": "7"})), RateLimited)
    assert isinstance(border.order(refused(429), early=frozenset()), UnknownOutcome)


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 409, 410, 422, 429, 500, 502, 503, 302])
def test_a_refused_question_says_nothing_about_the_order(border, status):
    error = border.ask(refused(status))
    assert isinstance(error, QuestionRefused)
    assert error.failure.charged is Charged.MAYBE
    assert error.failure.retryable
    assert error.missing == (status in {404, 410})
    assert error.failure.who_must_act is not Actor.CALLER


@pytest.mark.parametrize(
    ("status", "body", "because"),
    [
        (401, {"detail": "no"}, FailureCode.AUTHENTICATION_FAILED),
        (403, {"detail": "invalid api key"}, FailureCode.AUTHENTICATION_FAILED),
        (403, {"detail": "your organisation must be verified"}, FailureCode.PROVIDER_REJECTED),
        (402, {"detail": "top up"}, FailureCode.QUOTA_EXHAUSTED),
        (429, {"detail": "slow down"}, FailureCode.RATE_LIMITED),
        (400, {"detail": "no"}, FailureCode.PROVIDER_REJECTED),
        (422, {"detail": "no"}, FailureCode.PROVIDER_REJECTED),
        (404, {"detail": "no"}, FailureCode.PROVIDER_REJECTED),
        (500, {"detail": "no"}, FailureCode.PROVIDER_UNAVAILABLE),
        (408, {"detail": "no"}, FailureCode.PROVIDER_UNAVAILABLE),
    ],
)
def test_why_a_question_is_refused(border, status, body, because):
    assert border.ask(refused(status, body)).because is because


def test_a_vendor_may_tell_about_the_job_by_a_refusal(border):
    def of_job(reply):
        return ProviderRejected("the app failed", charged=Charged.MAYBE) if reply.status == 500 else None

    assert isinstance(border.ask(refused(500), of_job), ProviderRejected)
    assert isinstance(border.ask(refused(502), of_job), QuestionRefused)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (401, {}, AuthenticationFailed),
        (403, {"detail": "Invalid token"}, AuthenticationFailed),
        (403, {"detail": "this model is closed"}, ProviderRejected),
        (402, {}, QuotaExhausted),
        (429, {}, RateLimited),
        (422, {}, InvalidInput),
        (404, {}, ProviderRejected),
        (503, {}, ProviderUnavailable),
        (302, {}, ProviderRejected),
    ],
)
def test_a_probe_has_the_plain_meaning(border, status, body, expected):
    assert type(border.probe(refused(status, body))) is expected


def test_what_was_never_sent(border):
    account = replace(border.account(), base_url="http://127.0.0.1:1")
    for asked in (account.order("/jobs"), account.ask("GET", "/jobs"), account.upload("/f", (Part("a", "b"),))):
        with pytest.raises(ProviderUnreachable):
            border.runner.run(asked)


@pytest.mark.parametrize(
    "base_url", ["vendor.example", "http://", "http:/vendor", "http://a b", "http://[::1", "", "http://h:99999"]
)
def test_an_address_that_cannot_be_asked_was_not(border, base_url):
    account = replace(border.account(), base_url=base_url)
    for asked in (account.order("/jobs"), account.ask("GET", "/jobs")):
        with pytest.raises(ProviderUnreachable, match="Is base_url right"):
            border.runner.run(asked)


UNREADABLE = {
    "nothing": b"",
    "cut": answer(200, b'{"id": "1"', length=100),
    "cut json": answer(200, b'{"id": "1', JSON),
    "html": answer(200, b"<html>", {"Content-Type": "text/html"}),
    "not packed": answer(200, b'{"id": "1"}', JSON | {"Content-Encoding": "gzip"}),
    "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe",
    "not http": b"220 smtp.example\r\n\r\n",
    "empty": answer(204),
    "more than there may be": answer(204, b'{"id": "1"}'),
    "deep": answer(200, b"[" * 200_000, JSON),
    "nan": answer(200, b"\xff\xfe\x00"),
}


@pytest.mark.parametrize("given", UNREADABLE.values(), ids=UNREADABLE)
def test_an_answer_that_cannot_be_read_is_lost(border, given):
    async def ordered():
        return (await border.account().order("/jobs")).document()

    async def asked():
        return (await border.account().ask("POST", "/jobs/1")).document()

    border.raw.answer = lambda _: given
    for coroutine in (ordered(), asked()):
        assert isinstance(border.told(coroutine), AnswerLost)


def test_an_answer_is_unusable_too_large_or_lost(border):
    large = answer(200, b"x" * 1000)
    border.raw.answer = lambda _: large
    assert type(border.told(border.account().order("/jobs", limit_bytes=999))) is AnswerTooLarge
    assert type(border.ask(UNREADABLE["cut"])) is AnswerUnusable
    packed = border.ask(UNREADABLE["not packed"])
    assert type(packed) is AnswerUnusable
    assert str(packed) == "The answer (200) cannot be read: Can not decode content-encoding: gzip"
    assert type(border.ask(b"")) is AnswerLost


@pytest.mark.parametrize("given", [answer(422, b"x" * 2000), answer(422, b'{"detail', length=99)])
def test_a_refusal_is_one_whatever_its_words_are_like(border, given):
    border.raw.answer = lambda _: given
    assert type(border.told(border.account().order("/jobs", limit_bytes=100))) is InvalidInput


@pytest.mark.parametrize("error", [AnswerUnusable("odd"), KeyError("detail"), AttributeError("get"), TypeError()])
def test_an_explanation_that_fails_leaves_it_to_the_status(border, error):
    def explain(_):
        raise error

    assert type(border.order(refused(422), explain=explain)) is InvalidInput
    assert type(border.order(refused(500), explain=explain)) is UnknownOutcome
    assert type(border.ask(refused(500), explain=explain)) is QuestionRefused


SIGNED = "https://bucket.example/a?X-Amz-Signature=s1gn4ture&x=y"


@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 422, 429, 500, 502])
@pytest.mark.parametrize(
    "body",
    [
        {"detail": f"the key {SECRET} at {SIGNED} is wrong"},
        {"error": f"{SIGNED} for {SECRET}"},
        {"detail": f"https://{SECRET}@vendor.example/x"},
        {"detail": SIGNED.replace("/", "\\/")},
    ],
    ids=range(4),
)
def test_no_words_hold_a_key_or_a_signature(border, status, body):
    def explain(reply):
        return ProviderRejected(f"{reply.document()}")

    given = refused(status, body, {"Location": f"{SIGNED}&key={SECRET}"})
    for changes in ({}, {"explain": explain}):
        for found in (
            border.order(given, **changes),
            border.ask(given, **changes),
            border.probe(given, **changes),
        ):
            assert SECRET not in str(found)
            assert "s1gn4ture" not in str(found)


def test_an_answer_that_repeats_the_key_does_not_tell_it(border):
    given = answer(200, f"<html>{SECRET} {SIGNED}".encode())

    async def asked():
        return (await border.account().ask("POST", "/x")).document()

    border.raw.answer = lambda _: given
    found = border.told(asked())
    assert isinstance(found, AnswerUnusable)
    assert SECRET not in str(found)
    assert "s1gn4ture" not in str(found)


def test_an_account_may_have_a_key_whose_bytes_are_no_text(border):
    """A variable of the process may hold any bytes; a provider with such a key is still loaded."""
    account = Account(border.http, border.raw.url, {"Authorization": "Bearer secret-\udcff-of-the-operator"})
    assert "operator" not in repr(account)


@pytest.mark.parametrize(
    ("headers", "least", "most"),
    [
        ({"Retry-After": "7"}, 7, 7),
        ({"Retry-After": " 1.5 "}, 1.5, 1.5),
        ({"retry-after-ms": "250"}, 0.25, 0.25),
    ],
)
def test_how_long_a_vendor_asks_to_wait(border, headers, least, most):
    for found in (border.order(refused(429, headers=headers)), border.ask(refused(503, headers=headers))):
        assert least <= found.retry_after_s <= most


@pytest.mark.parametrize(("hours", "least", "most"), [(1, 3000, 3600), (-1, 0, 0)])
def test_how_long_a_vendor_asks_to_wait_by_a_date(border, hours, least, most):
    until = format_datetime(datetime.now(UTC) + timedelta(hours=hours), usegmt=True)
    test_how_long_a_vendor_asks_to_wait(border, {"Retry-After": until}, least, most)


@pytest.mark.parametrize(
    "text",
    [
        "soon",
        "-5",
        "1e9",
        "9" * 30,
        "",
        "nan",
        "inf",
        "Sun, 99 Nov 2026 00:00:00 GMT",
        "Fri, 31 Dec 2999 23:59:59 +99999999999999",
        "1 Jan 99999999999999999999999999 00:00 GMT",
        "1 Jan 2026 0:0:99999999999999999999999999 GMT",
    ],
)
def test_a_wait_that_cannot_be_read_is_none(border, text):
    assert border.order(refused(429, headers={"Retry-After": text})).retry_after_s is None
    assert border.ask(refused(429, headers={"Retry-After": text})).retry_after_s is None


_WORDS = st.text(max_size=20)
_DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _WORDS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["detail", "error", "message", "code", "status"]) | _WORDS, inner, max_size=3
        )
    ),
    max_leaves=8,
)
_BODIES = st.binary(max_size=200) | _DOCUMENTS.map(lambda document: json.dumps(document).encode())
_HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "Content-Type": st.sampled_from(["application/json", "text/html", "image/png", "nonsense"]),
        "Content-Encoding": st.sampled_from(["gzip", "deflate", "identity", "br"]),
        "Retry-After": st.sampled_from(["0", "7", "86400", "soon", "-1"]),
        "Location": st.sampled_from(["/v1/jobs", "https://elsewhere.example/", "::"]),
    },
)
_ERRORS = st.sampled_from(
    [
        None,
        ProviderUnavailable("again"),
        InvalidInput("bad"),
        ModerationBlocked("no"),
        AuthenticationFailed("key"),
        QuotaExhausted("empty"),
        RateLimited("slow", retry_after_s=3),
    ]
)
_STATUSES = st.integers(200, 599) | st.sampled_from([*PROVED, *OPEN, 429])
_MORE = st.integers(0, 5)


@settings(max_examples=examples(300), deadline=None)
@given(_STATUSES, _BODIES, _HEADERS, _MORE, _ERRORS, st.frozensets(st.sampled_from([429, 503]), max_size=2))
def test_only_a_proof_refuses_an_order(border, status, body, headers, more, error, early):
    given_ = answer(status, body, headers, length=len(body) + more)
    found = border.order(given_, explain=lambda _: error, early=early)
    is_proof = status in early or (400 <= status < 500 and status not in {408, 409, 423, 425, 429, 460, 499})
    if isinstance(found, UnknownOutcome):
        assert found.charged is Charged.MAYBE
        assert not is_proof
    elif isinstance(found, ProviderError):
        assert is_proof
    else:
        assert 200 <= status < 300 or isinstance(found, AnswerLost)


@settings(max_examples=examples(300), deadline=None)
@given(_STATUSES, _BODIES, _HEADERS, _MORE, _ERRORS)
def test_no_answer_to_a_question_is_about_the_order(border, status, body, headers, more, error):
    found = border.ask(answer(status, body, headers, length=len(body) + more), explain=lambda _: error)
    if isinstance(found, ProviderError):
        assert type(found) is QuestionRefused
        assert found.failure.charged is Charged.MAYBE
        assert found.because not in {FailureCode.INVALID_INPUT, FailureCode.MODERATION_BLOCKED}
        assert found.missing == (status in {404, 410})
        assert not 200 <= status < 300
    else:
        assert 200 <= status < 300 or isinstance(found, AnswerLost)
