"""The servers of a pool: least busy first, a dead one left out for a while."""

import asyncio
import time
import uuid
from collections.abc import Mapping, Sequence

from genpulse.domain.json_value import JsonValue
from genpulse.provider import InvalidInput, ProviderError, ProviderUnavailable
from genpulse.providers.comfyui.watcher import Watcher
from genpulse.vendor import Account
from genpulse.wire import AnswerLost, Http, Reply

DEAD_S = 15.0
_ASKED_S = 5.0


class Servers:
    """An account and a watcher for each server. A job's id names its server, so that any process finds it."""

    def __init__(self, http: Http, urls: Sequence[str], headers: Mapping[str, str]) -> None:
        self.client_id = uuid.uuid4().hex
        self._accounts = {url: Account(http, url, headers, refused) for url in urls}
        self._watchers = {url: Watcher(http, url, headers, self.client_id) for url in urls}
        self._dead_until: dict[str, float] = {}

    def account(self, url: str) -> Account:
        """Raises `InvalidInput` for a server that is configured no more."""
        if url not in self._accounts:
            raise InvalidInput(f"The job lies at {url}, which providers.comfyui.base_url no longer names.")
        return self._accounts[url]

    def watcher(self, url: str) -> Watcher:
        """What is heard from a server."""
        return self._watchers[url]

    @property
    def urls(self) -> tuple[str, ...]:
        """All of them."""
        return tuple(self._accounts)

    async def least_busy(self) -> str:
        """Raises `ProviderUnavailable` when none answers."""
        asked = self._living() or self.urls
        lengths = await asyncio.gather(*(self._length(url) for url in asked))
        found = [(length, url) for length, url in zip(lengths, asked, strict=True) if length is not None]
        if not found:
            raise ProviderUnavailable(f"No ComfyUI answers: {', '.join(self._accounts)}.")
        return min(found)[1]

    async def _length(self, url: str) -> int | None:
        try:
            async with asyncio.timeout(_ASKED_S):
                running, pending = await queue_of(self._accounts[url])
        except (ProviderError, AnswerLost, TimeoutError):
            self._dead_until[url] = time.monotonic() + DEAD_S
            return None
        return len(running) + len(pending)

    async def probe(self) -> str:
        """Ask each server how it is."""
        words = []
        for url, account in self._accounts.items():
            system = (await account.probe("GET", "/system_stats")).document().get("system")
            version = system.get("comfyui_version") if isinstance(system, dict) else None
            words.append(f"{url}: ComfyUI {version}")
        return "; ".join(words)

    async def object_info(self) -> Mapping[str, JsonValue]:
        """What the servers say of their nodes, together. Raises `ProviderUnavailable` when none answers."""
        await self.least_busy()
        told: dict[str, JsonValue] = {}
        for url in self._living():
            told |= (await self._accounts[url].ask("GET", "/object_info")).document()
        return told

    def _living(self) -> Sequence[str]:
        now = time.monotonic()
        return [url for url in self._accounts if self._dead_until.get(url, 0.0) <= now]

    async def close(self) -> None:
        """Stop listening."""
        for watcher in self._watchers.values():
            await watcher.close()


async def queue_of(account: Account) -> tuple[list[str], list[str]]:
    """The ids of the prompts that run, and of those that wait, in their order."""
    queue = (await account.ask("GET", "/queue")).document()
    return _ids(queue.get("queue_running")), _ids(queue.get("queue_pending"))


def _ids(entries: JsonValue) -> list[str]:
    rows = [row for row in entries if isinstance(row, list) and len(row) > 1] if isinstance(entries, list) else []
    return [str(row[1]) for row in sorted(rows, key=lambda row: str(row[0]).zfill(12))]


def refused(reply: Reply) -> ProviderError | None:
    """A prompt that does not hold is told with 400 and the nodes that do not."""
    if reply.status != 400:
        return None
    document = reply.document()
    error = document.get("error")
    words = error.get("message") if isinstance(error, dict) else error
    return InvalidInput(
        f"ComfyUI does not take the workflow: {words} {node_errors(document.get('node_errors'))}".strip()
    )


def node_errors(found: JsonValue) -> str:
    """What is wrong with each node, without what may be a path of the server."""
    nodes = found.items() if isinstance(found, dict) else ()
    lines = []
    for node_id, node in nodes:
        errors = node.get("errors") if isinstance(node, dict) else None
        for error in errors if isinstance(errors, list) else ():
            if isinstance(error, dict):
                kind = node.get("class_type") if isinstance(node, dict) else ""
                lines.append(f"node {node_id} ({kind}): {error.get('message')}: {error.get('details')}")
    return "; ".join(lines)
