"""Sends one signed message, as Standard Webhooks describes it (standardwebhooks.com)."""

import asyncio
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import aiohttp
from standardwebhooks import Webhook
from yarl import URL

from genpulse.adapters.public_address import AddressRefused, PublicResolver, check_literal
from genpulse.domain.delivery import Answer

TIMEOUT_S = 15.0
_CONNECT_S = 5.0
_ANSWER_BYTES = 64 * 1024
_AT_ONCE = 100
_LONGEST_WAIT_S = 24 * 3600.0


class WebhookSender:
    """One pool of connections for the whole process. Close it with `close()`.

    `secret` signs: `whsec_` and base64, or any text, whose bytes are the key; None signs nothing.
    Without `allow_private` only public addresses are sent to.
    """

    def __init__(self, secret: str | None, *, allow_private: bool, version: str) -> None:
        self._webhook = Webhook(secret if secret.startswith("whsec_") else secret.encode()) if secret else None
        self._allow_private = allow_private
        self._user_agent = f"GenPulse/{version}"
        self._session: aiohttp.ClientSession | None = None

    async def send(self, url: str, message_id: str, body: bytes, *, now: datetime) -> Answer:
        """Send it once, follow no redirect, and look at 64 KiB of the answer for 15 seconds. Never raises."""
        try:
            if not self._allow_private:
                check_literal(URL(url).host or "")
            async with asyncio.timeout(TIMEOUT_S):
                return await self._post(url, self._headers(message_id, body, now), body)
        except TimeoutError:
            return Answer(None, f"no answer within {TIMEOUT_S:g} s")
        except AddressRefused as error:
            return Answer(None, _refused(error))
        except aiohttp.ClientConnectorError as error:
            refused = isinstance(error.os_error, AddressRefused)
            return Answer(None, _refused(error.os_error) if refused else str(error))
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Answer(None, str(error) or type(error).__name__)

    async def _post(self, url: str, headers: dict[str, str], body: bytes) -> Answer:
        async with self._open().post(url, data=body, headers=headers, allow_redirects=False) as answer:
            await answer.content.read(_ANSWER_BYTES)
            error = (
                ""
                if answer.ok and answer.status < 300
                else f"answered {answer.status} {answer.reason or ''}".strip()
            )
            return Answer(answer.status, error, _retry_after_s(answer.headers.get("Retry-After")))

    def _headers(self, message_id: str, body: bytes, now: datetime) -> dict[str, str]:
        headers = {
            "Content-Type": "application/json",
            "User-Agent": self._user_agent,
            "webhook-id": message_id,
            "webhook-timestamp": str(int(now.timestamp())),
        }
        if self._webhook is not None:
            headers["webhook-signature"] = self._webhook.sign(message_id, now.astimezone(UTC), body.decode())
        return headers

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            resolver = None if self._allow_private else PublicResolver()
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=_AT_ONCE, resolver=resolver, use_dns_cache=False),
                timeout=aiohttp.ClientTimeout(total=None, connect=_CONNECT_S),
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()


def _refused(error: OSError) -> str:
    return f"{error} (webhooks.allow_private)"


def _retry_after_s(header: str | None) -> float | None:
    """Seconds of a Retry-After, which is a number or a date; None when there is none that makes sense."""
    if header is None:
        return None
    try:
        wait_s = float(header) if header.strip().isdigit() else _until(header)
    except (ValueError, TypeError):
        return None
    return min(max(wait_s, 0.0), _LONGEST_WAIT_S)


def _until(date: str) -> float:
    return (parsedate_to_datetime(date) - datetime.now(UTC)).total_seconds()
