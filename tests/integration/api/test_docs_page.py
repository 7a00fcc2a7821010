"""The page at `/docs`: all that it is made of comes from this service, and it may ask nobody else."""

import re

import pytest
from yarl import URL

FILES = ("docs/favicon-32x32.png", "docs/swagger-ui.css", "docs/swagger-ui-bundle.js", "docs/start.js")


def named(page):
    """What the page loads, and where it links to."""
    return re.findall(r'(?:src|href)="([^"]+)"', page.body.decode())


async def test_all_that_it_is_made_of_is_here(api):
    page = await api.get("/docs")
    assert (page.status, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert set(FILES) | {"openapi.json"} == set(named(page))
    for name in named(page):
        found = await api.get(f"/{name}")
        assert found.status == 200, name
        assert found.body, name


async def test_it_works_under_the_prefix_of_a_proxy(serve):
    api = await serve(root_path="/media")
    for name in named(await api.get("/docs")):
        seen_by_a_browser = URL("/media/docs").join(URL(name)).path
        assert (await api.get(seen_by_a_browser.removeprefix("/media"))).status == 200, name
    assert (await api.get("/openapi.json")).json["servers"] == [{"url": "/media"}]


async def test_it_may_load_and_ask_this_service_alone(api):
    page = await api.get("/docs")
    start = await api.get("/docs/start.js")
    for answer in (page, start):
        said = dict(word.strip().split(" ", 1) for word in answer.headers["Content-Security-Policy"].split(";"))
        assert said.pop("default-src") == "'none'"
        assert said.pop("img-src") == "'self' data:"
        assert set(said.values()) == {"'self'", "'none'"}
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert b"//" not in answer.body
    assert not re.search(rb"<script>|<style|style=| on\w+=", page.body), "the policy lets nothing inline run"


@pytest.mark.parametrize("path", ["/docs", *(f"/{name}" for name in FILES)])
async def test_a_browser_keeps_what_has_not_changed(api, path):
    first = await api.get(path)
    again = await api.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status, again.body, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    head = await api.call("HEAD", path)
    assert (head.status, head.body, head.headers["Content-Length"]) == (200, b"", str(len(first.body)))


@pytest.mark.parametrize(
    "path", ["/redoc", "/docs/", "/docs/__init__.py", "/docs/%2e%2e/main.py", "/docs/oauth2-redirect"]
)
async def test_nothing_else_is_there(api, path):
    (await api.call("GET", path, encoded=True)).problem(404, "not_found")
