"""The YAML beside a workflow: what callers may set, and what it is."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue


class DeclaredInput(BaseModel):
    """An input. `node` is an id or a title; without `field` the likeliest value of the node is meant."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    node: str
    field: str | None = None
    type: Literal["integer", "number", "string", "boolean", "image", "seed"] | None = None
    title: str = ""
    default: JsonValue = None
    min: float | None = None
    max: float | None = None
    choices: list[str] | None = None


class Sheet(BaseModel):
    """The whole of it. `outputs` are the nodes whose files count, all where none is named."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str = ""
    description: str = ""
    kind: str | list[str] = "any"
    inputs: dict[str, DeclaredInput] = Field(default_factory=dict)
    outputs: list[str] = Field(default_factory=list)
