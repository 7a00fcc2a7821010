"""The servers of a pool: least busy first, a dead one left out for a while."""

import asyncio
import math
import time
import uuid
from collections.abc import Mapping, Sequence

from genpulse.domain.json.value import JsonValue
from genpulse.provider import FailureCode, ProviderError, ProviderUnavailable, QuestionRefused
from genpulse.provider.account import Account
from genpulse.provider.http import AnswerLost, AnswerUnusable, Http
from genpulse.providers.comfyui.refusals import explain, text_of
from genpulse.providers.comfyui.watcher import Watcher

DEAD_S = 15.0
EARLY = frozenset({429})
"""ComfyUI itself never answers 429: a proxy before it does, and does not pass the order on. A 503 may come from
behind it; what became of the order is looked up then."""
_ASKED_S = 5.0
_LAST = float("inf")


class Servers:
    """An account and a watcher for each server. A job's id names its server, so that any process finds it."""

    def __init__(
        self, http: Http, urls: Sequence[str], headers: Mapping[str, str], hosts: frozenset[str] = frozenset()
    ) -> None:
        self.client_id = uuid.uuid4().hex
        self._accounts = {
            url: Account(http, url, headers, explain, early=EARLY, allowed_hosts=hosts) for url in urls
        }
        self._watchers = {url: Watcher(http, url, headers, self.client_id) for url in urls}
        self._dead_until: dict[str, float] = {}

    def account(self, url: str) -> Account:
        """Raises `QuestionRefused` for a server that is configured no more: it cannot be asked about its jobs."""
        if url not in self._accounts:
            raise QuestionRefused(
                f"The job lies at {url[:200]}, which providers.comfyui.base_url no longer names.",
                because=FailureCode.PROVIDER_REJECTED,
            )
        return self._accounts[url]

    def watcher(self, url: str) -> Watcher:
        """The watcher of a server's WebSocket."""
        return self._watchers[url]

    @property
    def urls(self) -> tuple[str, ...]:
        """The URLs of all servers."""
        return tuple(self._accounts)

    async def least_busy(self) -> str:
        """The URL of the server with the shortest queue. Raises `ProviderUnavailable` when none answers."""
        urls = self._living() or self.urls
        lengths = await asyncio.gather(*(self._length(url) for url in urls))
        queues = [(length, url) for length, url in zip(lengths, urls, strict=True) if length is not None]
        if not queues:
            raise ProviderUnavailable(f"No ComfyUI answers: {', '.join(self._accounts)}.")
        return min(queues)[1]

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
            version = text_of(system.get("comfyui_version")) if isinstance(system, dict) else ""
            words.append(f"{url}: ComfyUI {version or 'of an unknown version'}")
        return "; ".join(words)

    async def object_info(self) -> Mapping[str, JsonValue]:
        """The nodes of all servers. Raises `ProviderUnavailable` when none answers."""
        await self.least_busy()
        nodes: dict[str, JsonValue] = {}
        for url in self._living():
            nodes |= (await self._accounts[url].probe("GET", "/object_info")).document()
        return nodes

    def _living(self) -> Sequence[str]:
        now = time.monotonic()
        return [url for url in self._accounts if self._dead_until.get(url, 0.0) <= now]

    async def close(self) -> None:
        """Stop listening."""
        for watcher in self._watchers.values():
            await watcher.close()


async def queue_of(account: Account) -> tuple[list[str], list[str]]:
    """The ids of the prompts that run, and of those that wait, in their order.

    Raises `AnswerUnusable` for an answer without both lists: it does not say that a prompt is in none of them.
    """
    reply = await account.ask("GET", "/queue")
    queue = reply.document()
    running, pending = queue.get("queue_running"), queue.get("queue_pending")
    if not isinstance(running, list) or not isinstance(pending, list):
        raise AnswerUnusable(f"ComfyUI does not tell its queue: {reply.excerpt()}")
    return _ids(running), _ids(pending)


def _ids(entries: Sequence[JsonValue]) -> list[str]:
    """Rows are `[number, id, …]`; whatever else stands in the list is passed over."""
    rows = [row for row in entries if isinstance(row, list)]
    ids = [(_place(row[0]), row[1]) for row in rows if len(row) > 1 and isinstance(row[1], str)]
    return [prompt_id for _, prompt_id in sorted(ids, key=lambda pair: pair[0])]


def _place(number: JsonValue) -> float:
    """The place of a row; what has no number comes last."""
    match number:
        case bool():
            return _LAST
        case int():
            return number
        case float() if not math.isnan(number):
            return number
        case _:
            return _LAST
