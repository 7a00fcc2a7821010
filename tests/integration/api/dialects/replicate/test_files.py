"""Files of Replicate's API over HTTP."""

import hashlib
import json

import aiohttp
import pytest

from genpulse.api.options import ApiOptions
from tests.api_keys import added
from tests.integration.api.conftest import KEY_PREFIXES

API = "/replicate/v1"
BOUND = "multipart/form-data; boundary=x"
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d494844520000000100000001080600000"
    "01f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)


def form(content=PNG, metadata=None, *, content_first=True, **said):
    made = aiohttp.FormData()
    if not content_first and metadata is not None:
        made.add_field("metadata", metadata, content_type="application/json")
    made.add_field("content", content, filename="fox.png", content_type="image/x-png")
    if content_first and metadata is not None:
        made.add_field("metadata", metadata)
    for name, value in said.items():
        made.add_field(name, value)
    return made


async def brought(served, *arguments, headers=None, **words):
    return await served.post(f"{API}/files", data=form(*arguments, **words), headers=headers)


@pytest.mark.parametrize("content_first", [True, False])
async def test_a_file_has_all_that_clients_need(served, content_first):
    answer = await brought(served, PNG, '{"a": [1]}', content_first=content_first)
    document = answer.json
    digest = hashlib.sha256(PNG).hexdigest()
    assert answer.status == 201
    assert document["name"] == "fox.png"
    assert document["content_type"] == "image/x-png"
    assert document["size"] == len(PNG)
    assert document["checksums"] == {"sha256": digest, "md5": hashlib.md5(PNG).hexdigest()}
    assert document["etag"] == digest
    assert document["metadata"] == {"a": [1]}
    assert document["created_at"] < document["expires_at"]
    assert document["urls"]["get"] == f"{served.url}{API}/files/{document['id']}" == answer.headers["Location"]
    assert (await served.get(f"{API}/files/{document['id']}")).json == document
    assert (await served.get(f"{API}/files")).json == {"previous": None, "next": None, "results": [document]}
    assert (await served.get(f"{API}/files/{document['id']}/download")).body == PNG


async def test_fields_beside_the_file_win_over_its_own_words(served):
    document = (await brought(served, b"hello", filename="a.txt", type="text/plain", other="x")).json
    assert (document["name"], document["content_type"], document["metadata"]) == ("a.txt", "text/plain", {})


async def test_metadata_may_come_in_fields_with_brackets(served):
    made = form(PNG)
    for name, value in (("metadata[a]", "1"), ("metadata[b][]", "2"), ("metadata[b][]", "3")):
        made.add_field(name, value)
    answer = await served.post(f"{API}/files", data=made)
    assert answer.json["metadata"] == {"a": "1", "b": ["2", "3"]}
    made = form(PNG)
    made.add_field("metadata[a]", "1")
    made.add_field("metadata[a][b]", "1")
    assert (await served.post(f"{API}/files", data=made)).status == 422


@pytest.mark.parametrize("end", ["", "?a=b", "/download"])
async def test_an_input_names_it_by_its_address(served, end):
    document = (await brought(served)).json
    address = document["urls"]["get"] + end
    async with served.worker():
        answer = await served.post(
            f"{API}/models/art/copier/predictions", json={"input": {"image": address}}, headers={"Prefer": "wait"}
        )
    assert answer.json["status"] == "succeeded", answer.json
    assert answer.json["input"] == {"image": document["urls"]["get"]}
    output = await served.call("GET", answer.json["output"].removeprefix(served.url), encoded=True)
    assert output.body == PNG


async def test_deleting_lets_it_be_gone(served):
    path = f"{API}/files/{(await brought(served)).json['id']}"
    assert (await served.call("DELETE", path)).status == 204
    assert (await served.get(path)).status == 404
    assert (await served.call("DELETE", path)).status == 204
    assert (await served.get(f"{API}/files")).json["results"] == []


async def test_files_of_another_key_are_not_there(served):
    (_, mine), (_, other) = await added(served.services.keys), await added(served.services.keys)
    document = (await brought(served, headers=mine)).json
    path = f"{API}/files/{document['id']}"
    assert (await served.get(path, headers=other)).status == 404
    assert (await served.call("DELETE", path, headers=other)).status == 404
    assert (await served.get(f"{API}/files", headers=other)).json["results"] == []
    answer = await served.post(
        f"{API}/models/art/copier/predictions",
        json={"input": {"image": document["urls"]["get"]}},
        headers=other,
    )
    assert (answer.status, answer.json["invalid_fields"][0]["field"]) == (422, "input.image")


async def test_a_list_is_followed_page_by_page(served, monkeypatch):
    monkeypatch.setattr("genpulse.dialects.replicate.files.calls.PAGE", 2)
    made = [(await brought(served)).json["id"] for _ in range(5)]
    found, path = [], f"{API}/files"
    while path:
        page = (await served.call("GET", path, encoded=True)).json
        found += [document["id"] for document in page["results"]]
        path = page["next"] and page["next"].removeprefix(served.url)
    assert found == list(reversed(made))


async def test_an_output_is_a_file_too_without_what_nobody_noted(served):
    async with served.worker():
        answer = await served.post(
            f"{API}/models/art/print/predictions", json={"input": {"prompt": "a"}}, headers={"Prefer": "wait"}
        )
    asset_id = answer.json["output"].partition("/assets/")[2].partition("/")[0]
    document = (await served.get(f"{API}/files/{asset_id}")).json
    assert document["name"] == f"{asset_id}.bin"
    assert set(document["checksums"]) == {"sha256"}


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"hello", "application/json", 415),
        (b"hello", "multipart/form-data", 400),
        (b"hello", BOUND, 400),
        (
            b'--x\r\nContent-Disposition: form-data; name="content"\r\n\r\nhalf',
            BOUND,
            400,
        ),
        (
            b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--x--\r\n',
            BOUND,
            422,
        ),
    ],
)
async def test_forms_that_are_none_are_the_callers_fault(served, body, content_type, status):
    answer = await served.post(f"{API}/files", data=body, headers={"Content-Type": content_type})
    assert answer.status == status, answer.body
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("metadata", ["{", "[]", "1", '{"a": "\\u0000"}', json.dumps({"a": "x" * 40_000})])
async def test_metadata_that_does_not_fit_is_named_and_nothing_is_kept(served, metadata):
    answer = await brought(served, PNG, metadata)
    assert (answer.status, answer.json["invalid_fields"][0]["field"]) == (422, "metadata")
    assert (await served.get(f"{API}/files")).json["results"] == []


async def test_a_file_may_be_as_large_as_an_upload_and_no_larger(serve, door):
    options = ApiOptions(body_limit_bytes=1000, upload_limit_bytes=5000, api_key_prefixes=KEY_PREFIXES)
    served = await serve(options, doors=[door])
    assert (await brought(served, b"x" * 5000)).status == 201
    assert (await brought(served, b"x" * 5001)).status == 413
