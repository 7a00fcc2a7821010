"""An API with the door of Replicate."""

import pytest
from pydantic import Field

from genpulse.dialects.options import DialectOptions
from genpulse.dialects.replicate.door import replicate_door
from genpulse.provider import Call, ImageRef, Immediate, Input, Model, Output, Provider, Result
from genpulse.providers.catalog import LoadedCatalogue
from tests.integration.api.conftest import Easel, Print, Sketch

ALIASES = {
    "acme/flux": "art/print",
    "acme/old:39ed52f2a78e934b3ba6e2a89f5b1c712de7dfea535525255b1aa35c5565e08b": "art/print",
}


class Several(Input):
    """How many are wanted."""

    prompt: str
    num_outputs: int = Field(1, ge=1, le=4)


class Copied(Input):
    """What is copied."""

    image: ImageRef


class Press(Immediate[Several]):
    async def generate(self, call: Call[Several]) -> Result:
        return Result(tuple(Output(b"\x00print %d" % number) for number in range(call.input.num_outputs)))


class Copier(Immediate[Copied]):
    async def generate(self, call: Call[Copied]) -> Result:
        attachment = await call.attachments.fetch(call.input.image)
        return Result((Output(attachment.path.read_bytes()),))


@pytest.fixture
def catalogue_of():
    def make(easel: Easel) -> LoadedCatalogue:
        models = (
            Model("easel", ("text-to-image",), Sketch, easel, title="Easel", description="Draws"),
            Model("print", ("text-to-image",), Sketch, Print()),
            Model("press", ("text-to-image",), Several, Press(), description="Many at once"),
            Model("copier", ("image-to-image",), Copied, Copier()),
        )
        return LoadedCatalogue([Provider("art", models)])

    return make


@pytest.fixture
def door():
    options = DialectOptions(frozenset({"replicate"}), {"replicate": 60}, ALIASES)
    return replicate_door(options)


@pytest.fixture
async def served(serve, door):
    """A server with the door."""
    return await serve(doors=[door])
