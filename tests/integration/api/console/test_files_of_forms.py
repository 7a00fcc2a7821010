"""Files that a form of the playground brings."""

from io import BytesIO

import pytest

from genpulse.domain.keys.api_key import Scope
from genpulse.provider import ImageRef, Input, Model, Provider
from genpulse.providers.catalog import LoadedCatalogue
from tests.integration.api.conftest import Print

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)
SOUND = b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x80\x3e\0\0\2\0\x10\0data\0\0\0\0"
BOUNDARY = "xyz"
HEADERS = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


class Restyled(Input):
    """A picture, and how it is to look."""

    prompt: str
    image: ImageRef


@pytest.fixture
def catalogue_of():
    return lambda _: LoadedCatalogue([Provider("art", (Model("print", ("image-to-image",), Restyled, Print()),))])


def part(name, content, file_name=None):
    said = f'; filename="{file_name}"' if file_name is not None else ""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{said}\r\n\r\n'
    return head.encode() + content + b"\r\n"


def body(*parts):
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


async def send(served, page, *files, path="/console/playground", fields=(), cookies=None, **headers):
    """The form of the page, as a browser sends it with these files."""
    known = [part(name, value.encode()) for name, value in (*page.form("Run").fields, *fields)]
    sent = {"Origin": served.url, **HEADERS, **headers}
    async with served.client.post(
        f"{served.url}{path}", data=body(*known, *files), headers=sent, cookies=cookies, allow_redirects=False
    ) as answer:
        return answer.status, await answer.text()


async def uploads(served):
    return [one.subject for one in await served.services.console.actions() if one.action == "file.upload"]


async def test_a_file_is_kept_and_named_in_its_field(console, browser):
    page = await browser.get("/console/playground?model=art/print")
    assert 'accept="image/*"' in page.html
    assert 'enctype="multipart/form-data"' in page.html
    picture = part("file.input.image", PNG, "a<b>.png")
    priced, html = await send(
        console, page, picture, path="/console/playground/price", fields=[("input.prompt", "snow")]
    )
    assert priced == 200
    assert 'name="input.image" value="asset:' in html
    status, html = await send(console, page, picture, fields=[("input.prompt", "snow")])
    assert status == 303, html
    (task,) = (await console.get("/v1/tasks")).json["data"]
    assert task["input"]["image"].startswith("asset:")
    fetched = await console.get(f"/v1/assets/{task['input']['image'].removeprefix('asset:')}/content")
    assert fetched.body == PNG
    assert await uploads(console) == ["input.image", "input.image"]


async def test_no_file_is_none_and_a_wrong_one_is_told_in_the_form(console, browser):
    page = await browser.get("/console/playground?model=art/print")
    status, html = await send(console, page, part("file.input.image", b"", ""), fields=[("input.prompt", "snow")])
    assert status == 422
    assert "image" in html
    assert await uploads(console) == []
    status, html = await send(
        console, page, part("file.input.image", SOUND, "a.png"), fields=[("input.prompt", "snow")]
    )
    assert status == 422
    assert "snow" in html


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([part("file.input.image", PNG, "a.png"), part("token", b"{token}")], 403),
        ([part("token", b"forged"), part("file.input.image", PNG, "a.png")], 403),
        ([part("file.input.image", PNG, "a.png")], 403),
        ([part("token", b"{token}"), part("elsewhere", PNG, "a.png")], 400),
        ([part("token", b"{token}"), *[part("file.input.image", PNG, "a.png")] * 17], 400),
        ([part("token", b"{token}"), *[part(f"x{n}", b"") for n in range(501)]], 400),
        ([part("token", b"{token}"), part("x", b"." * 5_000_000)], 400),
        ([part("token", b"\xff")], 400),
    ],
)
async def test_a_file_of_a_forged_or_strange_form_is_not_kept(console, browser, parts, expected):
    page = await browser.get("/console/playground?model=art/print")
    token = dict(page.form("Run").fields)["token"].encode()
    data = body(*parts).replace(b"{token}", token)
    async with console.client.post(
        f"{console.url}/console/playground", data=BytesIO(data), headers={"Origin": console.url, **HEADERS}
    ) as answer:
        assert answer.status == expected
    assert len(await uploads(console)) in {0, 16}


async def test_a_page_of_another_host_brings_nothing(console, browser):
    page = await browser.get("/console/playground?model=art/print")
    picture = part("file.input.image", PNG, "a.png")
    status, _ = await send(console, page, picture, Origin="http://evil.example")
    assert status == 401
    assert await uploads(console) == []


async def test_who_only_looks_brings_nothing(served_console, log_in):
    served = await served_console()
    _, browser, page = await log_in(served, frozenset({Scope.VIEW}))
    token = dict(page.form("Log out").fields)["token"]
    data = body(part("token", token.encode()), part("file.input.image", PNG, "a.png"))
    async with served.client.post(
        f"{served.url}/console/playground",
        data=data,
        headers={"Origin": served.url, **HEADERS},
        cookies=browser.cookies,
    ) as answer:
        assert answer.status == 403
    assert await uploads(served) == []


async def test_what_ends_too_early_is_refused(console, browser):
    page = await browser.get("/console/playground?model=art/print")
    token = dict(page.form("Run").fields)["token"]
    cut = part("token", token.encode()) + part("file.input.image", PNG, "a.png")
    async with console.client.post(
        f"{console.url}/console/playground", data=cut, headers={"Origin": console.url, **HEADERS}
    ) as answer:
        assert answer.status == 400
