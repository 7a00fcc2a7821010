"""Numbers of an input, from the caller to the engine and back."""

import json
from dataclasses import dataclass, field
from uuid import UUID

import pytest

from genpulse.api.schemas.links import Links
from genpulse.api.schemas.tasks.documents import TaskDocument
from genpulse.provider import Call, Local, Model, Output, Provider, Report, Result
from genpulse.provider.passthrough import FreeInput
from genpulse.providers.catalog import LoadedCatalogue

SENT = (
    "0 1 -1 1.0 -0.0 0.0 1e22 1E22 1e300 -1.5e-300 5e-324 1.50 0.1 100000000000000000000.0 100000000000000000000"
    f" 9007199254740993 12345678901234567890.125 {'7' * 4300} -{'7' * 4300}"
).split()


@dataclass
class Repeater(Local[FreeInput]):
    """Says what it was given."""

    seen: list[object] = field(default_factory=list)

    async def run(self, call: Call[FreeInput], report: Report) -> Result:
        self.seen.append(call.input.document()["numbers"])
        return Result((Output(b"seen"),))


@pytest.mark.parametrize(
    ("word", "why"), [("9" * 4301, "number out of range"), ("[" * 300 + "]" * 300, "recursion limit exceeded")]
)
async def test_what_cannot_be_read_is_not_said_to_be_no_json(api, word, why):
    body = f'{{"model": "art/free", "input": {{"n": {word}}}}}'
    answer = await api.post("/v1/tasks", data=body, headers={"Content-Type": "application/json"})
    assert f"The body cannot be read as JSON in UTF-8: {why}" in answer.problem(400, "invalid_json")["detail"]


@pytest.fixture
def repeater():
    return Repeater()


@pytest.fixture
def catalogue_of(repeater):
    return lambda easel: LoadedCatalogue([Provider("art", (Model("free", ("any",), FreeInput, repeater),))])


async def test_they_come_back_as_they_were_sent_everywhere(either, repeater):
    expected = [repr(json.loads(number)) for number in SENT]
    one = f'{{"model": "art/free", "input": {{"numbers": [{",".join(SENT)}]}}}}'

    def same(body) -> bool:
        task = json.loads(body)
        task = task.get("data", task)
        task = task[0] if isinstance(task, list) else task
        return [repr(number) for number in task["input"]["numbers"]] == expected

    kind = {"Content-Type": "application/json"}
    posted = await either.post("/v1/tasks", data=one, headers=kind)
    assert posted.status == 202, posted.body
    assert same(posted.body)
    batch = await either.post("/v1/tasks/batch", data=f'{{"tasks": [{one}]}}', headers=kind)
    assert same(batch.body)
    async with either.worker():
        await either.ended(posted.json["id"])
    task_url = f"/v1/tasks/{posted.json['id']}"
    assert same((await either.get(task_url)).body)
    assert same((await either.get("/v1/tasks?limit=1")).body)
    events = (await either.get(f"{task_url}/events")).body.decode().splitlines()
    assert same(next(line for line in events if line.startswith("data: "))[6:])
    assert [repr(number) for number in repeater.seen[0]] == expected
    told = TaskDocument.of(await either.services.store.get(UUID(posted.json["id"])), Links("")).model_dump(
        mode="json"
    )
    assert same(json.dumps({"data": told}))


@pytest.mark.parametrize(("one", "other"), [("1", "1.0"), ("0.0", "-0.0"), ("1e22", "10000000000000000000000")])
async def test_another_number_is_another_body(api, one, other):
    def body(number):
        return f'{{"model": "art/free", "input": {{"n": {number}}}}}'

    headers = {"Content-Type": "application/json", "Idempotency-Key": "k"}
    first = await api.post("/v1/tasks", data=body(one), headers=headers)
    again = await api.post("/v1/tasks", data=body(one), headers=headers)
    assert (first.status, again.headers["Idempotent-Replayed"]) == (202, "true")
    (await api.post("/v1/tasks", data=body(other), headers=headers)).problem(422, "idempotency_key_reuse")
