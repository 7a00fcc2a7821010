"""From words and fields to the input of a model."""

import json
from types import SimpleNamespace

import pytest

from genpulse.cli.errors import CommandRefused
from genpulse.cli.generate.model_input import LocalFile, input_of, uploaded
from genpulse.providers.openai_compatible.inputs import ImageInput
from genpulse.providers.sandbox.pictures.restyle import RestyleInput

CLOSED = {"properties": {"text": {"type": "string"}, "speed": {"type": "number"}}, "additionalProperties": False}
FREE = {"additionalProperties": True}


def test_words_go_where_the_model_takes_them():
    assert input_of(CLOSED, "hi", ["speed=0.9"]) == {"text": "hi", "speed": 0.9}
    assert input_of(FREE, "hi", ["n=2", "style=ink"]) == {"prompt": "hi", "n": 2, "style": "ink"}


def test_a_model_without_words_says_what_it_takes():
    with pytest.raises(CommandRefused, match="its input has delay_s"):
        input_of({"properties": {"delay_s": {}}}, "hi", [])


def test_a_value_is_read_from_a_file(tmp_path):
    (tmp_path / "flow.json").write_text(json.dumps({"1": {}}))
    assert input_of(FREE, None, [f"workflow=@{tmp_path / 'flow.json'}"]) == {"workflow": {"1": {}}}
    (tmp_path / "broken.json").write_text("{")
    for name, word in (("broken.json", "is not JSON"), ("nowhere.json", "cannot be read")):
        with pytest.raises(CommandRefused, match=word):
            input_of(FREE, None, [f"workflow=@{tmp_path / name}"])


def test_a_file_is_uploaded_where_the_model_takes_one(tmp_path):
    photo = tmp_path / "photo.png"
    photo.write_bytes(b"x")
    named = [f"image=@{photo}"]
    assert input_of(RestyleInput.model_json_schema(), "at dusk", named) == {
        "prompt": "at dusk",
        "image": LocalFile(photo),
    }
    assert input_of(FREE, None, named) == {"image": LocalFile(photo)}
    assert input_of(RestyleInput.model_json_schema(), None, ["image=asset:1"]) == {"image": "asset:1"}


def test_a_field_of_several_files_is_given_several_times(tmp_path):
    photo = tmp_path / "photo.png"
    photo.write_bytes(b"x")
    schema = ImageInput.model_json_schema()
    named = [f"images=@{photo}", "images=https://example.com/a.png", f"mask=@{photo}"]
    assert input_of(schema, None, named) == {
        "images": [LocalFile(photo), "https://example.com/a.png"],
        "mask": LocalFile(photo),
    }
    assert input_of(schema, None, ['images=["asset:1"]']) == {"images": ["asset:1"]}


def test_a_file_that_is_not_there_is_told_before_anything_is_uploaded(tmp_path):
    with pytest.raises(CommandRefused, match="cannot be read"):
        input_of(RestyleInput.model_json_schema(), None, [f"image=@{tmp_path / 'none.png'}"])


async def test_each_file_is_uploaded_once(tmp_path):
    sent = []

    class Api:
        async def upload(self, path):
            sent.append(path)
            return SimpleNamespace(id=f"id-{len(sent)}")

    photo = LocalFile(tmp_path / "photo.png")
    body = await uploaded(Api(), {"images": [photo, "asset:1"], "mask": photo, "n": 2})
    assert body == {"images": ["asset:id-1", "asset:1"], "mask": "asset:id-1", "n": 2}
    assert sent == [photo.path]
