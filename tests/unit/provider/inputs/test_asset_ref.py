"""Fields of an input that take a file."""

import base64
from typing import Annotated

import pytest
from pydantic import Field

from genpulse.domain.errors import BadInput
from genpulse.domain.json.place import written
from genpulse.domain.submission.file_reference import Medium
from genpulse.provider import AssetRef, FileField, ImageRef, Input, Local, Model
from genpulse.provider.inputs.asset_ref import DATA_BYTES, files_in

ID = "0197a3a6-1111-7222-8333-00000000abcf"


class Inner(Input):
    mask: ImageRef | None = None


class Wanted(Input):
    image: ImageRef
    clips: list[Annotated[str, FileField("video", "audio")]] = Field(default_factory=list)
    inner: Inner | None = Field(None, alias="in/ner")
    any_file: AssetRef | None = None
    words: str = ""


class Nothing(Local[Wanted]):
    async def run(self, call, report):
        raise NotImplementedError


MODEL = Model("m", ("image-to-image",), Wanted, Nothing())


def data(media_type: str, content: bytes = b"x") -> str:
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"


@pytest.mark.parametrize(
    "reference",
    [
        f"asset:{ID}",
        f"task:{ID}",
        f"task:{ID}#1",
        f"http://127.0.0.1:8000/v1/assets/{ID}/content?signature=x",
        "https://example.com/a.png?b=c",
        data("image/png"),
        data(""),
    ],
)
def test_every_form_is_taken_and_stays_as_it_is(reference):
    parsed = MODEL.parse({"image": reference})
    assert parsed.image == reference
    assert parsed.model_dump(mode="json")["image"] == reference


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("", "names no file"),
        ("fox.png", "asset:<id>, task:<id>, an https URL, or a data: URI"),
        ("http://example.com/a.png", "names no file"),
        ("https://", "names no file"),
        ("file:///etc/passwd", "names no file"),
        ("asset:1", "no reference to an asset"),
        (ID, "names no file"),
        ("task:1", "names no output"),
        (f"task:{ID}#x", "names no output"),
        ("data:image/png;base64,%%", "cannot be read"),
        ("data:image/png;base64,", "empty"),
        (data("video/mp4"), "'video/mp4', and this field takes image"),
        (data("image/png", bytes(DATA_BYTES + 1)), "8,388,608 are allowed; upload the file"),
    ],
)
def test_what_names_no_file_is_refused_at_its_place(reference, words):
    with pytest.raises(BadInput) as caught:
        MODEL.parse({"image": reference})
    (problem,) = caught.value.problems
    assert problem.pointer == "/image"
    assert words in problem.detail


def test_files_are_found_wherever_they_stand():
    document = {
        "image": f"asset:{ID}",
        "clips": [f"task:{ID}", "https://example.com/a.mp4"],
        "in/ner": {"mask": data("image/png")},
        "words": f"asset:{ID}",
    }
    found = files_in(MODEL.parse(document))
    assert [(written(file.place), file.media) for file in found] == [
        ("/image", (Medium.IMAGE,)),
        ("/clips/0", (Medium.VIDEO, Medium.AUDIO)),
        ("/clips/1", (Medium.VIDEO, Medium.AUDIO)),
        ("/in~1ner/mask", (Medium.IMAGE,)),
    ]
    assert [file.reference for file in found][:2] == [f"asset:{ID}", f"task:{ID}"]


def test_the_schema_tells_which_fields_take_which_files():
    properties = Wanted.model_json_schema()["properties"]
    assert properties["image"] == {"format": "asset-ref", "title": "Image", "type": "string", "x-media": ["image"]}
    assert properties["clips"]["items"]["x-media"] == ["video", "audio"]
    assert properties["any_file"]["anyOf"][0]["x-media"] == ["image", "video", "audio"]


def test_an_unknown_medium_is_told_to_the_author():
    with pytest.raises(ValueError, match="smell"):
        FileField("smell")
