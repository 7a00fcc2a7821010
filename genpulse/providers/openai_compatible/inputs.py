"""The inputs of such servers. What only one of them knows goes into `extra` and is passed on as it is."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, JsonValue

from genpulse.domain.json.value import JsonObject
from genpulse.provider import ImageRef, Input


def _of_this_model(extra: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Which model runs is what the operator allows and prices."""
    if "model" in extra:
        raise ValueError("'model' cannot be set here; the task's own model says which one runs")
    return extra


Extra = Annotated[dict[str, JsonValue], AfterValidator(_of_this_model)]


class ImageInput(Input):
    """A picture from words, or from other pictures and words."""

    prompt: str = Field(min_length=1, max_length=32_000, title="What to draw")
    n: int = Field(1, ge=1, le=10, title="How many")
    size: str | None = Field(
        None, pattern=r"^(auto|\d{2,5}x\d{2,5})$", title="Width x height", examples=["1024x1024"]
    )
    quality: str | None = Field(None, max_length=32, title="Quality", examples=["auto", "high"])
    background: Literal["auto", "opaque", "transparent"] | None = Field(None, title="Background")
    output_format: Literal["png", "jpeg", "webp"] | None = Field(None, title="File format")
    images: list[ImageRef] = Field(default_factory=list, max_length=16, title="Pictures")
    mask: ImageRef | None = Field(None, title="Where the first picture may change")
    extra: Extra = Field(default_factory=dict, title="What this server takes besides")


class SpeechInput(Input):
    """Words to be spoken."""

    text: str = Field(min_length=1, max_length=100_000, title="What to say")
    voice: str = Field("alloy", max_length=100, title="Voice")
    format: Literal["mp3", "opus", "aac", "flac", "wav", "pcm"] = Field("mp3", title="File format")
    speed: float | None = Field(None, ge=0.25, le=4.0, title="Speed")
    instructions: str | None = Field(None, max_length=4_000, title="How to say it")
    extra: Extra = Field(default_factory=dict, title="What this server takes besides")


class VideoInput(Input):
    """A video from words, or from a picture and words."""

    prompt: str = Field(min_length=1, max_length=32_000, title="What happens")
    seconds: int | None = Field(None, ge=1, le=120, title="Seconds")
    size: str | None = Field(None, pattern=r"^\d{2,5}x\d{2,5}$", title="Width x height", examples=["1280x720"])
    image: ImageRef | None = Field(None, title="First picture")
    extra: Extra = Field(default_factory=dict, title="What this server takes besides")


def billed(input_: ImageInput | SpeechInput | VideoInput) -> JsonObject:
    """The input as the server reads it: what stands in `extra` replaces what it is named after."""
    document: JsonObject = input_.model_dump(mode="json")
    extra = {name: value for name, value in input_.extra.items() if value is not None}
    return {**document, **extra}
