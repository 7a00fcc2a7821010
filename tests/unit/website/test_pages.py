"""The pages of the site: each link leads somewhere, and what is made from the code is whole."""

import re
from posixpath import dirname, normpath
from posixpath import join as joined

import pytest

from genpulse.domain.errors import Refused
from website import build, error_codes, for_models
from website.navigation import menu, sections
from website.pages import OUTSIDE, Page, prose

_LINK = re.compile(r"\]\(([^()\s:#]+)(?:#[^()\s]*)?\)")
_ANCHOR = re.compile(r"\]\(([\w./-]*\.md)?#([^()\s]+)\)")


@pytest.fixture(scope="module")
def document():
    return build.openapi_document()


@pytest.fixture(scope="module")
def pages(document):
    return build.all_pages(document)


def test_every_link_leads_to_a_page_or_a_file(pages):
    places = {page.place for page in pages} | {"openapi.json"}
    links = [
        (page.place, normpath(joined(dirname(page.place), target)))
        for page in pages
        for is_text, line in prose(page.text)
        if is_text
        for target in _LINK.findall(line)
    ]
    assert len(links) > 200
    docs = build.ROOT / "docs"
    assert [
        (page, target) for page, target in links if target not in places and not (docs / target).is_file()
    ] == []


def test_every_anchor_is_a_heading(pages):
    headings = {
        page.place: {slug(line) for is_text, line in prose(page.text) if is_text and line.startswith("#")}
        for page in pages
    }
    anchors = [
        (page.place, normpath(joined(dirname(page.place), target)) if target else page.place, anchor)
        for page in pages
        for is_text, line in prose(page.text)
        if is_text
        for target, anchor in _ANCHOR.findall(line)
    ]
    assert len(anchors) > 20
    assert [row for row in anchors if row[2] not in headings[row[1]]] == []


def slug(heading):
    """The anchor of a heading, as forges and the site make it."""
    words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading.lstrip("# ")).lower()
    return re.sub(r"[^\w\- ]", "", words).strip().replace(" ", "-")


def test_every_page_has_a_place_in_the_menu_once(pages):
    named = re.findall(r"'([\w./-]+\.md)'", str(menu(sections(pages))))
    assert sorted(named) == sorted(page.place for page in pages)


def test_a_page_that_nobody_has_placed_stands_at_the_end_of_its_folder(pages):
    order = sections([*pages, Page("how-to/juggle.md", "# Juggle\n\nIn three steps. Slowly.\n")])
    assert "Juggle" in [page.title for page in order["Do"][-1].pages]
    assert "- [Juggle](how-to/juggle.md): In three steps.\n" in for_models.list_of_pages(order)


def test_pages_outside_of_docs_are_there(pages):
    assert set(OUTSIDE.values()) <= {page.place for page in pages}


def test_every_call_and_every_status_is_written_down(pages, document):
    (text,) = (page.text for page in pages if page.place == "reference/calls.md")
    for path, verbs in document["paths"].items():
        for verb, call in verbs.items():
            part = text.partition(f"`{verb.upper()} {path}`\n")[2].partition("\n### ")[0]
            assert re.findall(r"^\| (\w+) \| .* \| .* \| .* \|$", part, re.MULTILINE)[
                -len(call["responses"]) :
            ] == [*call["responses"]]


def test_every_error_of_the_api_is_written_down(pages):
    (text,) = (page.text for page in pages if page.place == "reference/errors.md")
    below = [Refused]
    codes = {kind.code for kind in below if not below.extend(kind.__subclasses__())} - {Refused.code}
    written = set(re.findall(r"^\| `(\w+)` \| \d{3}", text, re.MULTILINE))
    assert codes - error_codes.ON_THE_COMMAND_LINE <= written
    assert error_codes.problem_codes()["unknown_model"] == [404, 422]


def test_limits_name_settings_that_are_there(pages):
    (text,) = (page.text for page in pages if page.place == "reference/limits.md")
    assert "| `api.body_limit_bytes` | 1,048,576 |" in text
