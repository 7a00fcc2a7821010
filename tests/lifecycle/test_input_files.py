"""Files that an input refers to."""

import base64
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest
import uuid_utils.compat

from genpulse.domain.errors import InvalidInput, OutputUnavailable, ProviderUnavailable
from genpulse.domain.failure import Actor
from genpulse.lifecycle.attempt.input_files import TaskAttachments
from genpulse.lifecycle.upload import upload
from genpulse.provider.http import AnswerLost, AnswerTooLarge

GIF = b"GIF89a" + bytes(26)
ID = "0197a3a6-0000-7000-8000-00000000000f"
ODD = [
    f"{{{ID}}}",
    f"urn:uuid:{ID}",
    f"asset:{{{ID}}}",
    f"asset: {ID}",
    f"asset:{ID}\n",
    f"asset:asset:{ID}",
    f"asset:{ID[:-1]}",
    f"asset:{ID}0",
    f"asset:{ID.replace('-', '', 1)}",
    f"asset:{'-'.join(ID.replace('-', ''))}",
    "asset:" + "\u0661" * 32,
    "asset:" + "0_" * 15 + "00",
    ID.replace("-", ""),
]


async def chunks(content: bytes):
    yield content


async def test_an_upload_is_there_while_the_call_lasts(world):
    asset = await upload(world.services, chunks(b"GIF89a and so on"), limit_bytes=1000)
    task = await world.submit("art/painter")
    async with AsyncExitStack() as files:
        found = await TaskAttachments(world.services, task, files).fetch(f"asset:{asset.id}")
        assert found.path.read_bytes() == b"GIF89a and so on"
        assert (found.size, found.media_type) == (16, asset.content.media_type)
    assert not found.path.exists()


async def test_an_id_may_be_written_with_and_without_dashes(world):
    asset = await upload(world.services, chunks(b"GIF89a and so on"), limit_bytes=1000)
    task = await world.submit("art/painter")
    dashed, plain = str(asset.id), asset.id.hex
    for reference in (dashed, dashed.upper(), *(f"asset:{way}" for way in (dashed, plain, plain.upper()))):
        async with AsyncExitStack() as files:
            found = await TaskAttachments(world.services, task, files).fetch(reference)
            assert found.path.read_bytes() == b"GIF89a and so on"


async def test_an_asset_whose_bytes_are_gone_is_not_waited_for(world):
    asset = await upload(world.services, chunks(b"GIF89a and so on"), limit_bytes=1000)
    await world.services.storage.remove([asset.content.key])
    task = await world.submit("art/painter")
    async with AsyncExitStack() as files:
        with pytest.raises(InvalidInput, match=f"{asset.id}.*gone") as raised:
            await TaskAttachments(world.services, task, files).fetch(f"asset:{asset.id}")
    assert raised.value.failure.who_must_act is Actor.CALLER


async def test_an_asset_whose_bytes_are_others_now_is_sent_to_nobody(world):
    asset = await upload(world.services, chunks(b"GIF89a and so on"), limit_bytes=1000)
    world.services.storage._bucket._store.put(asset.content.key, b"GIF89a and so ON")
    task = await world.submit("art/painter")
    async with AsyncExitStack() as files:
        with pytest.raises(InvalidInput, match="not those that were kept"):
            await TaskAttachments(world.services, task, files).fetch(f"asset:{asset.id}")


@pytest.mark.parametrize(
    "reference", ["", "asset:", "asset:1", "https://example.com/x.png", f"asset:{'0' * 32}", *ODD]
)
async def test_what_is_no_asset_is_the_callers_mistake(world, reference):
    task = await world.submit("art/painter")
    async with AsyncExitStack() as files:
        with pytest.raises(InvalidInput):
            await TaskAttachments(world.services, task, files).fetch(reference)


async def test_an_asset_of_somebody_else_is_unknown(world):
    asset = await upload(world.services, chunks(b"x"), limit_bytes=1000, owner="them")
    task = await world.submit("art/painter")
    async with AsyncExitStack() as files:
        mine = TaskAttachments(world.services, replace(task, owner=str(uuid_utils.compat.uuid7())), files)
        with pytest.raises(InvalidInput, match="There is no asset"):
            await mine.fetch(f"asset:{asset.id}")


class Web:
    """An `Http` that has one file."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.asked: list[str] = []

    async def fetch_public(self, url, **_):
        self.asked.append(url)
        if self.errors:
            raise self.errors.pop(0)
        yield GIF


async def fetched(services, task, reference):
    async with AsyncExitStack() as files:
        found = await TaskAttachments(services, task, files).fetch(reference)
        return found.media_type, found.path.read_bytes()


async def test_every_form_gives_the_bytes_and_what_they_are(world):
    services = replace(world.services, http=(web := Web()), api_url="https://media.example")
    asset = await upload(services, chunks(GIF), limit_bytes=1000)
    task = await world.submit("art/painter")
    address = f"https://media.example/v1/assets/{asset.id}/content?expires=1&signature=x"
    for reference in (
        address,
        f"data:text/plain;base64,{base64.b64encode(GIF).decode()}",
        "https://example.com/fox.gif",
    ):
        assert await fetched(services, task, reference) == ("image/gif", GIF)
    assert web.asked == ["https://example.com/fox.gif"]


async def test_the_output_of_a_task_is_named_by_its_number(world):
    async with world.worker():
        made = await world.ended(await world.submit("art/painter"))
    task = await world.submit("art/painter")
    _, content = await fetched(world.services, task, f"task:{made.id}")
    assert content == await world.content(made.outputs[0])
    for reference, words in (
        (f"task:{made.id}#7", "succeeded, with 1 outputs"),
        (f"task:{ID}", "There is no task"),
    ):
        with pytest.raises(InvalidInput, match=words):
            await fetched(world.services, task, reference)
    with pytest.raises(InvalidInput, match="There is no task"):
        await fetched(world.services, replace(task, owner="them"), f"task:{made.id}")


async def test_a_server_that_is_away_for_a_moment_is_asked_again(world):
    task = await world.submit("art/painter")
    web = Web(AnswerLost("it broke"), ProviderUnavailable("503"))
    _, content = await fetched(replace(world.services, http=web), task, "https://example.com/fox.gif")
    assert content == GIF
    assert len(web.asked) == 3


@pytest.mark.parametrize("error", [OutputUnavailable("gone"), AnswerTooLarge("large")])
async def test_what_can_never_be_fetched_is_the_callers_to_mend(world, error):
    task = await world.submit("art/painter")
    web = Web(error)
    with pytest.raises(InvalidInput, match="cannot be fetched"):
        await fetched(replace(world.services, http=web), task, "https://example.com/fox.gif")
    assert len(web.asked) == 1


async def test_what_a_vendor_reads_by_itself_is_not_kept_here(world):
    services = replace(world.services, api_url="https://media.example")
    task = await world.submit("art/painter")
    attachments = TaskAttachments(services, task, AsyncExitStack())
    ours = (f"asset:{ID}", "asset:x", f"task:{ID}", f"https://media.example/v1/assets/{ID}/content")
    others = ("https://example.com/x", f"https://example.com/v1/assets/{ID}/content", "data:,x", ID, "task: x", "")
    assert [attachments.keeps(reference) for reference in ours] == [True] * len(ours)
    assert [attachments.keeps(reference) for reference in others] == [False] * len(others)
