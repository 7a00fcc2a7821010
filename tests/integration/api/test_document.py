"""The API does what its OpenAPI document says: requests are drawn from it, and every answer is held against it."""

import asyncio

import pytest

from genpulse.domain.keys.api_key import Scope
from genpulse.provider import Call, Input, Local, Model, Output, Provider, Report, Result
from genpulse.providers.catalog import LoadedCatalogue
from genpulse.providers.sandbox.noop import Noop, NoopInput
from tests.api_keys import added
from tests.document.schemathesis_run import command, environment
from tests.drawn import examples
from tests.integration.api.conftest import rows_on

EXAMPLES = 8
"""500 of a call are drawn by `make api-document`."""


class Words(Input):
    """What is painted."""

    prompt: str


class Brush(Local[Words]):
    """Paints at once, or not at all."""

    async def run(self, call: Call[Words], report: Report) -> Result:
        return Result((Output(call.input.prompt.encode()),))


@pytest.mark.hypothesis
@pytest.mark.timeout(600)
async def test_every_answer_is_what_the_document_says(serve, migrated_url, tmp_path, pools):
    models = (Model("image", ("text-to-image",), Words, Brush()), Model("noop", ("noop",), NoopInput, Noop()))
    async with rows_on(migrated_url, pools) as rows:
        api = await serve(catalogue=LoadedCatalogue([Provider("sandbox", models)]), **rows)
        _, headers = await added(api.services.keys, scopes=frozenset({Scope.ADMIN}))
        async with api.worker():
            process = await asyncio.create_subprocess_exec(
                *command(api.url, examples=examples(EXAMPLES), seed=1),
                cwd=tmp_path,
                env=environment(headers["Authorization"].removeprefix("Bearer ")),
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
            said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
