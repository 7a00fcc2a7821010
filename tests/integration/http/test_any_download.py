"""Downloads under any status, body and header: a whole file, or one of three errors."""

import asyncio
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genpulse.adapters.http.http_client import HttpClient
from genpulse.domain.errors import OutputUnavailable, ProviderUnavailable, QuestionRefused
from genpulse.domain.failure import Charged
from genpulse.provider.account import Account
from genpulse.provider.http import AnswerLost
from tests.drawn import examples
from tests.fakes.raw import RawServer, answer
from tests.integration.http.conftest import bytes_of

SECRET = "key-of-the-operator"


class Border:
    """A server on a loop of its own, and what a download from it gives or raises."""

    def __init__(self, runner: asyncio.Runner, raw: RawServer) -> None:
        self.runner = runner
        self.raw = raw
        self.http = HttpClient("1.0")
        self.account = Account(self.http, f"{raw.url}/v1", {"Authorization": f"Bearer {SECRET}"})

    def fetch(self, given_: bytes, *, is_own: bool) -> bytes | Exception:
        self.raw.asked.clear()
        self.raw.answer = lambda _: given_
        wanted = (
            self.account.fetch_own("/out") if is_own else self.account.fetch_public(f"{self.raw.url}/out?sig=1")
        )
        try:
            return self.runner.run(bytes_of(wanted))
        except (OutputUnavailable, ProviderUnavailable, QuestionRefused, AnswerLost) as error:
            return error


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


_HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "Content-Type": st.sampled_from(["image/png", "text/html", "application/json", "nonsense", ""]),
        "Content-Encoding": st.sampled_from(["gzip", "deflate", "identity", "br", "nonsense"]),
        "Location": st.sampled_from(
            ["/out", "/v1/jobs", "https://127.0.0.1/", "http://10.0.0.1/", "::", "", "x:y"]
        ),
        "Retry-After": st.sampled_from(["0", "86400", "soon"]),
        "ETag": st.text(st.sampled_from("abc\"'"), max_size=5),
    },
)
_STATUSES = st.integers(200, 599) | st.sampled_from([200, 200, 203, 206, 302, 403, 404, 410, 500, 503])


@settings(max_examples=examples(400), deadline=None)
@given(_STATUSES, st.binary(max_size=300), _HEADERS, st.sampled_from([0, 0, 0, 1, 50]), st.booleans())
def test_a_download_is_a_whole_file_or_an_error_that_says_what_to_do(border, status, body, headers, more, is_own):
    found = border.fetch(answer(status, body, headers, length=len(body) + more), is_own=is_own)
    keys = [asked.headers.get("authorization") for asked in border.raw.asked]
    assert keys[0] == (f"Bearer {SECRET}" if is_own else None)
    assert set(keys[1:]) <= {None}
    assert "/v1/jobs" not in border.raw.targets
    if isinstance(found, bytes):
        assert found
        assert status in {200, 203}
        assert more == 0
        assert found == body or headers.get("Content-Encoding") in {"gzip", "deflate"}
        return
    assert SECRET not in str(found)
    assert "sig=1" not in str(found)
    if isinstance(found, OutputUnavailable):
        assert found.charged is Charged.YES
        assert status < 500
        assert status not in {202, 403, 404, 408, 410, 425, 429}
        assert not is_own or not 400 <= status < 500
    if isinstance(found, QuestionRefused):
        assert is_own
        assert 400 <= status < 500
    if isinstance(found, ProviderUnavailable):
        assert found.retryable
        assert status >= 500 or status in {202, 403, 404, 408, 410, 425, 429}
