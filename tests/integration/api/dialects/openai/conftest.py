"""An API with OpenAI's door, and models whose inputs say things in ways of their own."""

import asyncio
import base64
import zlib
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from pydantic import Field, JsonValue

from genpulse.dialects.openai.door import openai_door
from genpulse.dialects.options import DialectOptions
from genpulse.provider import (
    Call,
    ImageRef,
    Input,
    Local,
    Model,
    ModerationBlocked,
    Output,
    Provider,
    ProviderUnavailable,
    Report,
    Result,
)
from genpulse.providers.catalog import LoadedCatalogue
from tests.integration.api.conftest import Answer, Served


def png(side: int = 8) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return len(data).to_bytes(4) + body + zlib.crc32(body).to_bytes(4)

    head = side.to_bytes(4) * 2 + bytes((8, 2, 0, 0, 0))
    rows = zlib.compress((b"\0" + bytes(3 * side)) * side)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


WAV = b"RIFF\x28\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\xc0\x5d\0\0\x80\xbb\0\0\2\0\x10\0data\4\0\0\0\0\0\1\0"


class PaintInput(Input):
    prompt: str = Field(min_length=1)
    width: int = Field(64, ge=8, le=2048)
    height: int = Field(64, ge=8, le=2048)
    num_images: int = Field(1, ge=1, le=4)
    seed: int | None = None


class RepaintInput(Input):
    image: ImageRef
    mask: ImageRef | None = None
    prompt: str = ""


class CollageInput(Input):
    images: list[ImageRef]


class FilmInput(Input):
    prompt: str
    duration_s: float = Field(3, ge=1, le=10)
    width: int = Field(64, ge=8, le=2048)
    height: int = Field(64, ge=8, le=2048)
    image: ImageRef | None = None
    loop: bool = False


class VoiceInput(Input):
    text: str = Field(min_length=1, max_length=40)


class RemoteInput(Input):
    prompt: str
    size: str | None = None
    extra: dict[str, JsonValue] = Field(default_factory=dict)


@dataclass
class Maker(Local[Any]):
    """Makes what it is to make, and remembers what it was asked for. Words of the prompt make it fail."""

    content: bytes

    def __post_init__(self) -> None:
        self.asked: list[Any] = []
        self.may_go = asyncio.Event()
        self.may_go.set()

    async def run(self, call: Call[Any], report: Report) -> Result:
        self.asked.append(call.input)
        words = str(getattr(call.input, "prompt", ""))
        if "naked" in words:
            raise ModerationBlocked("The picture would show what it must not.")
        if "away" in words:
            raise ProviderUnavailable("The vendor does not answer.")
        for name in ("image", "mask"):
            if reference := getattr(call.input, name, None):
                assert (await call.attachments.fetch(reference)).path.read_bytes() == png()
        report(0.407)
        await self.may_go.wait()
        return Result((Output(self.content),) * getattr(call.input, "num_images", 1))


@dataclass
class OpenAI:
    """The door of a running API."""

    served: Served
    makers: dict[str, Maker]

    async def get(self, path: str, **options: Any) -> Answer:
        return await self.served.get(f"/openai/v1{path}", **options)

    async def post(self, path: str, body: Any, **options: Any) -> Answer:
        return await self.served.post(f"/openai/v1{path}", json=body, **options)

    async def form(self, path: str, fields: Any, **options: Any) -> Answer:
        """Of pairs; bytes are files."""
        form = aiohttp.FormData(default_to_multipart=True)
        for name, value in fields:
            words = {"filename": "a.png"} if isinstance(value, bytes) else {}
            form.add_field(name, value, **words)
        return await self.served.post(f"/openai/v1{path}", data=form, **options)

    async def tasks(self) -> int:
        return len((await self.served.get("/v1/tasks?limit=100")).json["data"])


def refused(answer: Answer, status: int, code: str, param: str | None = None) -> dict[str, Any]:
    """The error, checked for what each of them has."""
    assert answer.status == status, answer.body
    error = answer.json["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert (error["code"], error["param"]) == (code, param), error
    return error


def pictures(answer: Answer) -> list[bytes]:
    assert answer.status == 200, answer.body
    return [base64.b64decode(one["b64_json"]) for one in answer.json["data"]]


@pytest.fixture
def makers() -> dict[str, Maker]:
    contents = {"paint": png(), "repaint": png(), "collage": png(), "remote": png()}
    return {name: Maker(content) for name, content in (contents | {"film": b"film", "voice": WAV}).items()}


@pytest.fixture
def catalogue_of(makers):
    def make(_easel) -> LoadedCatalogue:
        kinds = {"film": ("text-to-video", "image-to-video"), "voice": ("text-to-speech",)}
        inputs = {
            "paint": PaintInput,
            "repaint": RepaintInput,
            "collage": CollageInput,
            "remote": RemoteInput,
            "film": FilmInput,
            "voice": VoiceInput,
        }
        models = tuple(
            Model(name, kinds.get(name, ("text-to-image",)), inputs[name], maker) for name, maker in makers.items()
        )
        return LoadedCatalogue([Provider("art", models)])

    return make


@pytest.fixture
async def openai(serve, makers):
    options = DialectOptions(
        opened=frozenset({"openai"}), wait_s={"openai": 30}, aliases={"gpt-image-1": "art/paint"}
    )
    served = await serve(doors=[openai_door(options)])
    async with served.worker():
        yield OpenAI(served, makers)
