"""A browser without JavaScript: it keeps cookies, follows links, and fills in forms."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import aiohttp
from yarl import URL

_VOID = frozenset({"input", "meta", "link", "img", "rect", "path", "option", "br"})


@dataclass
class PageForm:
    """A form of a page: where it is sent to, and the fields that it has."""

    action: str
    method: str
    id: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    buttons: list[tuple[str, str]] = field(default_factory=list)
    """What is written on each, and where it sends the form to."""


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[PageForm] = []
        self.links: list[tuple[str, str]] = []
        self.ids: list[str] = []
        self.sources: list[str] = []
        self.tags: list[str] = []
        self.inline: list[tuple[str, str]] = []
        self.text: list[str] = []
        self._form: PageForm | None = None
        self._link: str | None = None
        self._button: tuple[PageForm | None, str] | None = None
        self._words: list[str] = []
        self._select: tuple[str, list[tuple[str, bool]]] | None = None
        self._area: tuple[str, list[str]] | None = None

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attributes}
        self.tags.append(tag)
        self.inline += [(name, value) for name, value in has.items() if name == "style" or name.startswith("on")]
        if "id" in has:
            self.ids.append(has["id"])
        for name in ("src", "poster"):
            if name in has:
                self.sources.append(has[name])
        self._open(tag, has)

    def _open(self, tag: str, has: dict[str, str]) -> None:
        if tag == "form":
            self._form = PageForm(has.get("action", ""), has.get("method", "get"), has.get("id", ""))
            self.forms.append(self._form)
        elif tag == "a" and "href" in has:
            self._link, self._words = has["href"], []
        elif tag == "button":
            self._button, self._words = (self._owner(has), has.get("formaction", "")), []
        elif tag == "input":
            self._input(has)
        elif tag == "select":
            self._select = (has.get("name", ""), [])
        elif tag == "option" and self._select:
            self._select[1].append((has.get("value", ""), "selected" in has))
        elif tag == "textarea":
            self._area = (has.get("name", ""), [])

    def _owner(self, has: dict[str, str]) -> PageForm | None:
        if "form" in has:
            return next(form for form in self.forms if form.id == has["form"])
        return self._form

    def _input(self, has: dict[str, str]) -> None:
        owner, kind = self._owner(has), has.get("type", "text")
        if owner and has.get("name") and (kind not in {"checkbox", "radio"} or "checked" in has):
            owner.fields.append((has["name"], has.get("value", "")))

    def handle_endtag(self, tag: str) -> None:
        words = " ".join("".join(self._words).split())
        if tag == "form":
            self._form = None
        elif tag == "a" and self._link is not None:
            self.links.append((words, self._link))
            self._link = None
        elif tag == "button" and self._button:
            owner, action = self._button
            if owner:
                owner.buttons.append((words, action))
            self._button = None
        elif tag == "select" and self._select and self._form:
            name, options = self._select
            chosen = next((value for value, is_chosen in options if is_chosen), options[0][0] if options else "")
            self._form.fields.append((name, chosen))
            self._select = None
        elif tag == "textarea" and self._area and self._form:
            self._form.fields.append((self._area[0], "".join(self._area[1]).removeprefix("\n")))
            self._area = None

    def handle_data(self, data: str) -> None:
        self.text.append(data)
        self._words.append(data)
        if self._area:
            self._area[1].append(data)


@dataclass
class Page:
    """A page that was loaded, or led to."""

    url: str
    status: int
    headers: Any
    html: str
    led_from: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.read = _Reader()
        self.read.feed(self.html)

    @property
    def path(self) -> str:
        parts = urlsplit(self.url)
        return parts.path + (f"?{parts.query}" if parts.query else "")

    @property
    def text(self) -> str:
        return " ".join("".join(self.read.text).split())

    def link(self, words: str) -> str:
        return next(href for said, href in self.read.links if said == words)

    def form(self, button: str) -> PageForm:
        """The form that a button with these words sends."""
        return next(form for form in self.read.forms if any(said == button for said, _ in form.buttons))


@dataclass
class Browser:
    """One person's browser."""

    base: str
    cookies: dict[str, str] = field(default_factory=dict)
    set_cookies: list[str] = field(default_factory=list)
    extra: dict[str, str] = field(default_factory=dict)
    prefix: str = ""
    """What a proxy takes off the path of each request."""

    async def get(self, path: str) -> Page:
        return await self._load("GET", urljoin(self.base, path), [])

    async def follow(self, page: Page, words: str) -> Page:
        return await self._load("GET", urljoin(page.url, page.link(words)), [])

    async def press(self, page: Page, button: str, **fields: str | None) -> Page:
        """Fill in the form of a button and press it; None leaves a field out."""
        form = page.form(button)
        action = next(action for said, action in form.buttons if said == button) or form.action
        sent = [(name, value) for name, value in form.fields if name not in fields]
        sent += [(name, value) for name, value in fields.items() if value is not None]
        url = urljoin(page.url, action) if action else page.url
        if form.method == "get":
            return await self._load("GET", f"{url.partition('?')[0]}?{urlencode(sent)}", [])
        return await self._load("POST", url, sent)

    async def post(self, path: str, *fields: tuple[str, str], **headers: str) -> Page:
        return await self._load("POST", urljoin(self.base, path), list(fields), headers)

    async def _load(
        self, method: str, url: str, fields: list[tuple[str, str]], headers: dict[str, str] | None = None
    ) -> Page:
        led: list[int] = []
        parts = urlsplit(self.base)
        sent = {"Accept": "text/html", **self.extra}
        if method == "POST":
            sent |= {"Origin": f"{parts.scheme}://{parts.netloc}", "Sec-Fetch-Site": "same-origin"}
        sent |= headers or {}
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as client:
            for _ in range(9):
                if self.cookies:
                    sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
                body = urlencode(fields) if method == "POST" else None
                kind = {"Content-Type": "application/x-www-form-urlencoded"} if body is not None else {}
                inner = url.replace(f"{self.prefix}/", "/", 1) if self.prefix else url
                target = URL(inner, encoded=True)
                async with client.request(
                    method, target, data=body, headers=sent | kind, allow_redirects=False
                ) as answer:
                    self._keep(answer)
                    if answer.status not in {302, 303}:
                        return Page(url, answer.status, answer.headers, await answer.text(), led)
                    led.append(answer.status)
                    url = urljoin(url, answer.headers["Location"])
                    method, fields = "GET", []
        raise AssertionError("it leads around in circles")

    def _keep(self, answer: aiohttp.ClientResponse) -> None:
        self.set_cookies += answer.headers.getall("Set-Cookie", [])
        for name, morsel in answer.cookies.items():
            if morsel["max-age"] == "0" or not morsel.value:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = morsel.value


def query_of(page: Page) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(page.url).query))
