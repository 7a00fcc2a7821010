"""Text that no database or header can take, at every door: refused with its place, and to nobody's harm."""

import asyncio
import json
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genpulse.api.options import ApiOptions
from tests.drawn import examples
from tests.integration.api.conftest import KEY_PREFIXES, rows_on

JSON = {"Content-Type": "application/json"}
GOOD = {"model": "art/easel", "input": {"prompt": "a fox"}}
HALVES = st.integers(0xD800, 0xDFFF).map(chr)
ODD = st.one_of(
    st.sampled_from(
        ["\0", "a\0b", "\ud83d", "\udc00\ud83d", "\x1b[2J", "\x7f", "\u2028", "\uffff", "\U0001f600", ""]
    ),
    st.text(st.one_of(st.characters(), st.characters(max_codepoint=0x9F), HALVES), max_size=20),
)
MANY = settings(max_examples=examples(150), deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture
async def rows(migrated_url, pools):
    async with rows_on(migrated_url, pools) as changes:
        yield changes


@pytest.fixture
async def api(rows, serve):
    return await serve(ApiOptions(api_key_prefixes=KEY_PREFIXES), **rows)


PLACES = {
    "model": lambda text: ({"model": text}, "/model"),
    "kind": lambda text: ({"kind": text}, "/kind"),
    "priority": lambda text: ({"priority": text}, "/priority"),
    "webhook_url": lambda text: ({"webhook_url": f"https://a.example/{text}"}, "/webhook_url"),
    "prompt": lambda text: ({"input": {"prompt": text}}, "/input/prompt"),
    "deep in the input": lambda text: ({"input": {"prompt": ["x", {"y": text}]}}, "/input/prompt/1/y"),
    "a name in the input": lambda text: ({"input": {"prompt": "x", f"n{text}": 1}}, "/input"),
    "metadata": lambda text: ({"metadata": {"k": text}}, "/metadata/k"),
    "a name in the metadata": lambda text: ({"metadata": {f"k{text}": "v"}}, "/metadata"),
    "a name": lambda text: ({f"n{text}": 1}, ""),
}


def is_odd(text):
    """PostgreSQL cannot keep it."""
    return "\0" in text or any("\ud800" <= character <= "\udfff" for character in text)


@given(place=st.sampled_from(sorted(PLACES)), text=ODD, in_batch=st.booleans())
@MANY
async def test_odd_text_in_a_body_is_refused_with_its_place_and_harms_no_neighbour(api, place, text, in_batch):
    changes, pointer = PLACES[place](json.loads(json.dumps(text)))
    order = GOOD | changes
    path, body = ("/v1/tasks/batch", {"tasks": [GOOD, order]}) if in_batch else ("/v1/tasks", order)
    neighbours = [api.submit() for _ in range(3)]
    answer, *others = await asyncio.gather(api.post(path, data=json.dumps(body), headers=JSON), *neighbours)
    assert [other.status for other in others] == [202] * 3
    if is_odd(json.loads(json.dumps(text))):
        errors = answer.problem(422, "invalid_input")["errors"]
        assert [error["pointer"] for error in errors] == [("/tasks/1" if in_batch else "") + pointer]
    elif answer.status == 202:
        kept = answer.json["data"][1] if in_batch else answer.json
        again = (await api.get(f"/v1/tasks/{kept['id']}")).json
        assert again == kept
        assert all(again["input"][name] == value for name, value in order["input"].items())
        assert again["metadata"] == order.get("metadata", {})
    else:
        answer.problem(422, answer.json["code"])


HEADERS = st.sampled_from(["Idempotency-Key", "Prefer", "X-Request-Id", "Last-Event-ID", "Authorization", "Host"])


@given(name=HEADERS, text=st.text(st.characters(max_codepoint=0xFF, exclude_characters="\0\r\n"), max_size=300))
@MANY
async def test_odd_text_in_a_header_is_taken_or_refused(api, name, text):
    head = f"POST /v1/tasks HTTP/1.1\r\nConnection: close\r\nContent-Type: application/json\r\n{name}: {text}\r\n"
    head += "" if name == "Host" else "Host: a.example\r\n"
    answer, other = await asyncio.gather(raw(api, head, json.dumps(GOOD).encode()), api.submit())
    assert answer in {202, 400, 401, 403}
    assert other.status == 202


async def raw(api, head, body):
    """The status of the answer to bytes that no client would send."""
    port = int(api.url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode("latin-1") + body)
    status = int((await reader.readline()).split()[1])
    writer.close()
    return status


PATHS = (
    *("/v1/tasks/{}", "/v1/tasks/{}/events", "/v1/tasks/{}/deliveries", "/v1/assets/{}", "/v1/assets/{}/content"),
    *("/v1/models/{}", "/hooks/{}/x", "/hooks/art/{}", "/v1/tasks?status={}", "/v1/tasks?kind={}"),
    *("/v1/tasks?code={}", "/v1/tasks?provider={}", "/v1/tasks?cursor={}", "/v1/tasks?limit={}", "/v1/tasks?{}=1"),
    "/{}",
)


@given(path=st.sampled_from(PATHS), word=st.binary(max_size=40))
@MANY
async def test_odd_text_in_an_address_is_taken_or_refused(api, path, word):
    method = "POST" if path.startswith("/hooks") else "GET"
    answer = await api.call(method, path.format(quote_from_bytes(word, safe="")), encoded=True)
    assert answer.status in {200, 400, 401, 404, 405, 422}, answer.body
    if answer.status != 200:
        answer.problem(answer.status, answer.json["code"])


BOMBS = {
    "a long key over many values": (
        f'{{"model": "art/easel", "input": {{"{"k" * 400_000}": [{"0, " * 100_000}1e1]}}}}',
        {"/input": "a key has 400,000 characters", "/input/" + "k" * 192 + "…": "more than 10,000 values"},
    ),
    "many values": (
        f'{{"model": "art/easel", "input": {{"prompt": [{"0, " * 300_000}1e1]}}}}',
        {"/input/prompt/9996": "more than 10,000 values"},
    ),
    "long runs of digits": (
        f'{{"model": "art/easel", "input": {{"prompt": [{("1" * 299 + ", ") * 3_000}1]}}}}',
        {"/input/prompt": "valid string"},
    ),
    "a deep place": (
        f'{{"model": "art/easel", "input": {{"prompt": {"[" * 150}"a\\u0000b"{"]" * 150}}}}}',
        {"/input/prompt" + "/0" * 93 + "…": "U+0000"},
    ),
}


@pytest.mark.parametrize("bomb", sorted(BOMBS))
async def test_a_body_that_would_fill_the_memory_is_refused_in_few_words(api, bomb):
    body, expected = BOMBS[bomb]
    answer = await api.post("/v1/tasks", data=body.encode(), headers=JSON)
    problem = answer.problem(422, "invalid_input")
    assert len(answer.body) < 2_000
    for pointer, words in expected.items():
        assert any(error["pointer"] == pointer and words in error["detail"] for error in problem["errors"]), (
            problem
        )


async def test_a_batch_may_hold_more_values_than_a_task(api):
    tasks = [GOOD | {"metadata": {f"k{number}": "v" for number in range(10)}} for _ in range(900)]
    answer = await api.post("/v1/tasks/batch", data=json.dumps({"tasks": tasks}).encode(), headers=JSON)
    assert answer.status == 202, answer.body[:500]


@pytest.mark.parametrize(
    "body",
    [
        '{"model": "art/easel", "input": {"prompt": "a"}, "model": "art/easel"}',
        '{"model": "art/easel", "input": {"prompt": "a", "prompt" : "b"}}',
        '{"model": "art/easel", "input": {"prompt": [{"\\u0061": 1, "a": 2}]}}',
        '{"model": "art/easel", "input": {"prompt": "x\\":y"}, "input": {}}',
    ],
)
async def test_a_key_that_comes_twice_is_refused_with_its_name(api, body):
    problem = (await api.post("/v1/tasks", data=body.encode(), headers=JSON)).problem(422, "invalid_input")
    assert "says more than once what stands under a key" in problem["detail"]


@pytest.mark.parametrize("prompt", ['a": b', '"', '": "', '{"a": "b": }'])
async def test_a_colon_in_a_text_is_no_key(api, prompt):
    answer = await api.post("/v1/tasks", data=json.dumps(GOOD | {"input": {"prompt": prompt}}), headers=JSON)
    assert answer.status == 202, answer.body


@pytest.mark.parametrize(
    ("name", "near"),
    [("webhook", "webhook_url"), ("Prioritiy", "priority"), ("deadline", "deadline_s"), ("zzz", "")],
)
@pytest.mark.parametrize("in_batch", [False, True])
async def test_an_unknown_name_comes_with_the_one_that_is_like_it(api, name, near, in_batch):
    order = GOOD | {name: 1}
    path, body = ("/batch", {"tasks": [GOOD, order]}) if in_batch else ("", order)
    answer = await api.post(f"/v1/tasks{path}", data=json.dumps(body), headers=JSON)
    [error] = answer.problem(422, "invalid_input")["errors"]
    assert error["pointer"] == (f"/tasks/1/{name}" if in_batch else f"/{name}")
    assert (f"Did you mean {near}?" if near else "there are model, input, kind, priority, ") in error["detail"]
    assert "model, input, kind" in error["detail"]
