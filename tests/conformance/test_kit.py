"""The kit itself: its fake answers as told and notes what it sees, and no check passes for want of occasion."""

import json
from dataclasses import replace

import aiohttp
import pytest
from aiohttp import web

from genpulse.testing import KEY, Body, FakeServer, Lacking, OddAnswer, Oddity, Phase, Situation
from genpulse.testing.checks.check import in_each, outcome_of, succeeds
from genpulse.testing.server import Ordered
from tests.conformance.subjects import of_fal
from tests.fakes.fal import FakeFal

OWN = {"id": "1", "state": "going on"}
BROKEN = (aiohttp.ClientError, ValueError)


class Plain(FakeServer):
    """A vendor of three addresses."""

    phases = {"order": Phase.ORDER, "poll": Phase.POLL}  # noqa: RUF012 - as a plug-in's author may write it

    def add_routes(self, app: web.Application) -> None:
        app.router.add_post("/jobs", self.order)
        app.router.add_get("/jobs/{id}", self.poll)

    async def order(self, _: web.Request) -> web.Response:
        return web.json_response(OWN)

    async def poll(self, _: web.Request) -> web.Response:
        return web.json_response(OWN)


async def asked(fake: FakeServer, method: str, path: str, headers: dict[str, str] | None = None):
    async with (
        aiohttp.ClientSession() as client,
        client.request(method, f"{fake.base_url}{path}", headers=headers, allow_redirects=False) as answer,
    ):
        return answer.status, answer.headers, await answer.read()


@pytest.mark.parametrize(
    ("answer", "status", "found"),
    [
        (OddAnswer(), 200, json.dumps(OWN)),
        (OddAnswer(503, Body.WORDS, words="so it is"), 503, "so it is"),
        (OddAnswer(200, Body.HTML), 200, "<html>"),
        (OddAnswer(None, Body.XML), 200, "AccessDenied"),
        (OddAnswer(404, Body.EMPTY), 404, ""),
        (OddAnswer(None, Body.NULL), 200, "null"),
        (OddAnswer(None, Body.EVENTS), 200, f"data: {json.dumps(OWN)}"),
        (OddAnswer(None, Body.HEARTBEAT), 200, f" \n{json.dumps(OWN)}"),
        (OddAnswer(None, Body.ELSEWHERE), 302, ""),
        (OddAnswer(422, Body.SURROGATE), 422, "\\ud83d"),
        (OddAnswer(500, Body.OWN), 500, json.dumps(OWN)),
    ],
)
async def test_an_odd_answer_is_given_as_often_as_it_says(answer, status, found):
    async with Plain().running() as fake:
        fake.meet(Oddity(Phase.POLL, answer, times=1))
        seen, _, body = await asked(fake, "GET", "/jobs/1")
        assert (seen, fake.met) == (status, 1)
        assert found in body.decode()
        assert (await asked(fake, "GET", "/jobs/1"))[2] == json.dumps(OWN).encode()


@pytest.mark.parametrize("body", [Body.DROPPED, Body.SHORT, Body.FALSE_GZIP])
async def test_an_answer_that_cannot_be_read_is_none(body):
    async with Plain().running() as fake:
        fake.meet(Oddity(Phase.POLL, OddAnswer(body=body)))
        with pytest.raises(BROKEN):
            await asked(fake, "GET", "/jobs/1")


async def test_half_an_answer_is_no_json():
    async with Plain().running() as fake:
        fake.meet(Oddity(Phase.POLL, OddAnswer(body=Body.CUT)))
        with pytest.raises(ValueError, match="Unterminated"):
            json.loads((await asked(fake, "GET", "/jobs/1"))[2])


async def test_the_books_say_what_was_answered_and_what_was_taken():
    async with Plain().running() as fake:
        await asked(fake, "POST", "/jobs")
        fake.meet(
            Oddity(Phase.ORDER, OddAnswer(400, Body.WORDS, taken=False), times=1),
            Oddity(Phase.ORDER, OddAnswer(504, Body.HTML)),
        )
        await asked(fake, "POST", "/jobs")
        await asked(fake, "POST", "/jobs")
        assert fake.orders == [Ordered(200, taken=True), Ordered(400, taken=False), Ordered(504, taken=True)]
        assert fake.submits == 3


async def test_a_key_that_goes_where_no_adapter_asks_is_a_leak():
    async with Plain().running() as fake:
        headers = {"Authorization": f"Bearer {KEY}"}
        await asked(fake, "GET", "/jobs/1", headers)
        assert fake.leaks == ()
        await asked(fake, "GET", "/v1/everything", headers)
        await asked(fake, "GET", "/v1/everything")
        assert len(fake.leaks) == 1


async def test_a_fake_that_names_no_routes_is_told_so():
    class Unnamed(FakeFal):
        phases = {}  # noqa: RUF012 - as above

    async with Unnamed().running() as fake:
        with pytest.raises(AssertionError, match="name its routes in `phases`"):
            await outcome_of(of_fal(fake), Oddity(Phase.POLL, OddAnswer(500)))


async def test_a_check_names_each_case_that_does_not_hold_and_leaves_out_what_is_lacking():
    async with FakeFal().running() as fake:
        lacking = replace(of_fal(fake), lacks={"slow": "x"})
        check = in_each([Situation.SLOW, Situation.WELL, Situation.INVALID, Situation.NO_CREDIT], succeeds)
        with pytest.raises(AssertionError) as caught:
            await check(lacking)
        first, second = str(caught.value).splitlines()
        assert first.startswith(Situation.INVALID)
        assert second.startswith(Situation.NO_CREDIT)
        with pytest.raises(Lacking, match="x"):
            await in_each([Situation.SLOW], succeeds)(lacking)
