"""The output of a request, in fal's shape."""

import json
from datetime import UTC, datetime
from uuid import UUID

from genpulse.api.schemas.links import Links
from genpulse.dialects.fal.output_document import output_document
from genpulse.domain.assets.asset import Asset, Content
from genpulse.domain.result.task_result import TaskResult, reference_to
from genpulse.domain.task import Task, TaskStatus

NOW = datetime(2030, 1, 31, tzinfo=UTC)
LINKS = Links("https://gp.example.org")


def asset(number, media_type, **measures):
    content = Content(f"key{number}", "ab" * 32, 10 * number, media_type, **measures)
    return Asset(UUID(int=number), content, NOW, "dev")


def url(number):
    return f"https://gp.example.org/v1/assets/{UUID(int=number)}/content"


def task(*outputs, provider="sandbox", result=None):
    text = TaskResult(json.dumps(result, separators=(",", ":"))) if result is not None else None
    return Task(
        id=UUID(int=7),
        environment="dev",
        kind="any",
        provider=provider,
        model=f"{provider}/model",
        status=TaskStatus.SUCCEEDED,
        input={},
        created_at=NOW,
        outputs=outputs,
        result=text,
    )


def test_pictures_are_listed_with_their_measures():
    one, two = asset(1, "image/png", width=8, height=9), asset(2, "image/webp")
    assert output_document(task(one, two), LINKS) == {
        "images": [
            {
                "url": url(1),
                "content_type": "image/png",
                "file_name": f"{UUID(int=1)}.png",
                "file_size": 10,
                "width": 8,
                "height": 9,
            },
            {"url": url(2), "content_type": "image/webp", "file_name": f"{UUID(int=2)}.webp", "file_size": 20},
        ]
    }


def test_of_all_else_there_is_one_and_the_list_where_it_is_not_alone():
    video = output_document(task(asset(1, "video/mp4", width=8, height=9, duration_s=1.5)), LINKS)
    assert (list(video), video["video"]["duration"]) == (["video"], 1.5)
    sounds = output_document(task(asset(1, "audio/mpeg"), asset(2, "audio/wav")), LINKS)
    assert (sounds["audio"], len(sounds["audios"])) == (sounds["audios"][0], 2)
    mixed = output_document(task(asset(1, "image/png"), asset(2, "model/gltf-binary")), LINKS)
    assert (list(mixed), mixed["file"]["file_name"]) == (["images", "file"], f"{UUID(int=2)}.glb")
    assert output_document(task(), LINKS) == {}


def test_what_fal_answered_stays_as_it_was_but_for_its_addresses():
    """Names, their order, and what stands beside the files."""
    result = {
        "timings": {"inference": 0.5},
        "images": [{"url": reference_to(UUID(int=1)), "width": 4, "content_type": "image/jpeg"}],
        "seed": 18446744073709551615,
        "has_nsfw_concepts": [False],
        "prompt": "http://no.file/",
    }
    shown = output_document(task(asset(1, "image/jpeg"), provider="fal", result=result), LINKS)
    assert list(shown) == list(result)
    assert shown["images"] == [{"url": url(1), "width": 4, "content_type": "image/jpeg"}]
    assert {name: shown[name] for name in ("timings", "seed", "has_nsfw_concepts", "prompt")} == {
        name: result[name] for name in ("timings", "seed", "has_nsfw_concepts", "prompt")
    }


def test_of_other_providers_the_seed_is_told_beside_the_customary_shape():
    shown = output_document(task(asset(1, "image/png"), result={"seed": 7, "anything": "else"}), LINKS)
    assert (list(shown), shown["seed"]) == (["images", "seed"], 7)


def test_an_answer_of_fal_that_is_no_object_is_told_in_the_customary_shape():
    result = [reference_to(UUID(int=1))]
    assert list(output_document(task(asset(1, "image/png"), provider="fal", result=result), LINKS)) == ["images"]
