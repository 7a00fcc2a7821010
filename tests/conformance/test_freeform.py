"""Files in and out of models whose input nobody but the vendor knows."""

from collections.abc import AsyncIterator

import pytest

from genpulse.domain.errors import OutputUnavailable
from genpulse.lifecycle.submission.submit import Order, submit
from genpulse.lifecycle.upload import upload
from genpulse.provider.passthrough import outputs_of, with_files
from genpulse.providers import fal, replicate
from genpulse.testing import Subject
from genpulse.testing.rig import rig
from genpulse.testing.server import PNG
from tests.conformance.subjects import AT_FILES
from tests.fakes.fal import FakeFal
from tests.fakes.replicate import FakeReplicate


async def chunks(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def run(subject: Subject, **changes):
    async with rig(subject) as bench:
        asset = await upload(bench.services, chunks(PNG), limit_bytes=1000)
        wanted = {"prompt": "x", "nested": [{"image": f"asset:{asset.id}"}], **changes}
        changed = Subject(subject.build, subject.fake, subject.model, wanted, options=AT_FILES)
        bench = type(bench)(changed, bench.services)
        async with bench.worker():
            ended = await bench.ended(await bench.submit())
        return ended, await bench.content(ended)


async def test_an_upload_goes_to_replicate_and_its_address_into_the_input():
    fake = FakeReplicate()
    async with fake.running():
        ended, contents = await run(Subject(replicate.provider, fake, "replicate/acme/flux:abc123", {}))
        (prediction,) = fake.predictions.values()
        assert contents == (PNG,), ended.error
    assert fake.uploads == [PNG]
    assert prediction["version"] == "abc123"
    assert prediction["input"]["nested"] == [{"image": f"{fake.base_url}/v1/files/f1"}]
    assert prediction["webhook"].startswith("https://hooks.example/hooks/replicate/")


async def test_text_is_an_output_too():
    fake = FakeReplicate()
    async with fake.running():
        _, contents = await run(Subject(replicate.provider, fake, "replicate/acme/words", {}), as_text=True)
    assert contents == (b"a fox at dawn",)


async def test_an_upload_goes_to_fal_inside_the_input_and_a_path_is_dropped_behind_the_app():
    fake = FakeFal()
    async with fake.running():
        ended, contents = await run(Subject(fal.provider, fake, "fal/fal-ai/flux/dev/image-to-image", {}))
        assert contents == (PNG,), ended.error
    (arguments,) = fake.requests.values()
    assert arguments["nested"][0]["image"].startswith("data:image/png;base64,")
    assert fake.asked_paths == {"/fal-ai/flux"}
    assert fake.webhooks[0].startswith("https://hooks.example/hooks/fal/")


@pytest.mark.parametrize(
    "name", ["replicate/nobody", "replicate/a/b/c", "replicate/a/", "replicate/a/b:", "fal/flux"]
)
async def test_a_name_that_cannot_be_is_unknown(name):
    fake = FakeFal()
    async with fake.running():
        subject = Subject(fal.provider if name.startswith("fal") else replicate.provider, fake, name, {})
        with pytest.raises(Exception, match="There is no model"):
            async with rig(subject) as bench:
                await submit(bench.services, Order(name, {}))


async def _keep(text: str) -> str:
    return text.upper()


async def test_only_references_are_replaced():
    value = {"a": ["asset:1", "x", 3, None], "b": {"c": "asset:2"}, "asset:3": True}
    assert await with_files(value, _keep) == {
        "a": ["ASSET:1", "x", 3, None],
        "b": {"c": "ASSET:2"},
        "asset:3": True,
    }


def test_files_are_found_wherever_they_are_and_once():
    result = {"images": [{"url": "https://x/1"}, {"url": "https://x/1"}], "extra": ["data:text/plain;base64,aGk="]}
    found = outputs_of(result, lambda url: chunks(url.encode()))
    assert len(found) == 2
    assert found[1].content == b"hi"


@pytest.mark.parametrize(
    "result", [None, [], {}, "", {"images": []}, "data:image/png;base64,", "data:image/png;base64,%%"]
)
def test_an_empty_result_is_none(result):
    with pytest.raises(OutputUnavailable):
        outputs_of(result, lambda url: chunks(b""))
