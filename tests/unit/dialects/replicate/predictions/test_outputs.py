"""What a model has made, as clients of Replicate know it."""

import json
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from genpulse.api.schemas.links import Links
from genpulse.dialects.replicate.links import ReplicateLinks
from genpulse.dialects.replicate.predictions.outputs import output_of
from genpulse.domain.assets.asset import Asset, Content
from genpulse.domain.errors import UnknownModel
from genpulse.domain.result.task_result import TaskResult
from genpulse.domain.task import NewTask, Task, TaskStatus

NOW = datetime(2030, 1, 1, tzinfo=UTC)
LINKS = ReplicateLinks(Links("https://here.example"))
FIRST, SECOND = (uuid.UUID(int=number) for number in (1, 2))
A, B = (f"https://here.example/v1/assets/{asset_id}/content" for asset_id in (FIRST, SECOND))


class NoModels:
    def model(self, model_id: str):
        raise UnknownModel(model_id)


SERVICES = SimpleNamespace(catalogue=NoModels())


def asset(asset_id: uuid.UUID) -> Asset:
    return Asset(asset_id, Content("assets/a", "a" * 64, 5, "image/png"), NOW, "dev")


def task(provider: str, count: int, result: object = None, status: TaskStatus = TaskStatus.SUCCEEDED) -> Task:
    queued = NewTask(uuid.uuid4(), "dev", "any", provider, f"{provider}/acme/x", {}).queued(NOW, None, None)
    kept = None if result is None else TaskResult(json.dumps(result, separators=(",", ":")))
    outputs = tuple(asset(asset_id) for asset_id in (FIRST, SECOND)[:count])
    return replace(queued, status=status, outputs=outputs, result=kept)


def place(asset_id: uuid.UUID) -> dict[str, str]:
    return {"$asset": str(asset_id)}


@pytest.mark.parametrize(
    ("made", "output"),
    [
        (task("fal", 0), None),
        (task("fal", 1), A),
        (task("fal", 2), [A, B]),
        (task("fal", 1, {"image": place(FIRST), "seed": 7}), A),
        (task("fal", 0, {"text": "a fox"}), {"text": "a fox"}),
        (task("fal", 0, "a fox"), "a fox"),
        (task("replicate", 1), A),
        (task("replicate", 1, [place(FIRST)]), [A]),
        (task("replicate", 1, place(FIRST)), A),
        (
            task("replicate", 2, {"mask": place(SECOND), "images": [place(FIRST), None], "seed": 7}),
            {"mask": B, "images": [A, None], "seed": 7},
        ),
        (task("replicate", 1, status=TaskStatus.RUNNING), None),
    ],
)
def test_its_shape(made, output):
    assert output_of(made, SERVICES, LINKS) == output
