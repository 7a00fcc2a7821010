"""The console on a real server, and browsers without JavaScript."""

import pytest

from genpulse.console.door import console_doors
from genpulse.console.options import ConsoleOptions
from genpulse.domain.keys.api_key import Scope
from tests.api_keys import added
from tests.integration.api.console.browser import Browser

ADMIN = frozenset({Scope.ADMIN})


@pytest.fixture
def served_console(serve):
    """Start an API with a console: `await served_console(options, …)` as `serve`."""

    async def start(pages: ConsoleOptions | None = None, **changes):
        return await serve(doors=console_doors(pages or ConsoleOptions()), **changes)

    return start


@pytest.fixture
async def console(served_console):
    """A console in `dev`, where nobody needs a key."""
    return await served_console()


@pytest.fixture
def browser(console):
    return Browser(console.url)


@pytest.fixture
def log_in():
    """A new key, and a browser that is logged in with it."""

    async def new(served, scopes=ADMIN, path="/console", **changes):
        key, headers = await added(
            served.services.keys, served.services.environment.api_key_prefix, scopes=scopes, **changes
        )
        browser = Browser(served.url)
        page = await browser.press(
            await browser.get(path), "Log in", key=headers["Authorization"].removeprefix("Bearer ")
        )
        return key, browser, page

    return new
