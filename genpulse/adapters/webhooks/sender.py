"""Sends one message, signed as Standard Webhooks describes it (standardwebhooks.com) or by itself."""

import ipaddress
import logging
import re
import socket
import ssl
from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from aiohttp.abc import AbstractResolver, ResolveResult
from standardwebhooks import Webhook
from yarl import URL

from genpulse.adapters.network.name_resolver import NameNotFound, NameResolver, NameTimeout
from genpulse.adapters.network.public_address import AddressRefused, NamesByProxy, PublicResolver, check_literal
from genpulse.adapters.webhooks import excerpts
from genpulse.adapters.webhooks.exchange import ANSWER_S, CannotConnect, NetworkRoute, NoConnection, Target, post
from genpulse.adapters.webhooks.response_head import Head
from genpulse.addresses.proxies import NO_PROXIES, Proxies
from genpulse.domain.keys.webhook_secret import SHARED, SigningSecrets
from genpulse.domain.webhook_delivery import Answer
from genpulse.ports.webhooks import NO_HEADERS

_HEADER_NAME = re.compile(r"[A-Za-z0-9-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e]*")

_log = logging.getLogger(__name__)


class WebhookSender:
    """Sends each message over a connection of its own. Close it with `close()`.

    `secret` signs: `whsec_` and base64, or any text, whose bytes are the key; None signs nothing. `old_secrets`
    sign beside it, as Standard Webhooks allows while secrets change: a receiver takes a message by any of them.
    Without `allow_private` only public addresses are sent to. Names are asked for at `name_servers`
    (`address:port`); at those of the system when there are none. What `proxies` are for goes by them. `tls` says
    whose certificates are trusted; None: those that the system trusts.
    """

    def __init__(
        self,
        secret: str | None,
        *,
        allow_private: bool,
        version: str,
        old_secrets: Sequence[str] = (),
        name_servers: Sequence[str] = (),
        answer_s: float = ANSWER_S,
        proxies: Proxies = NO_PROXIES,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._signers = tuple(_signer(each) for each in (secret, *old_secrets) if each)
        self._allow_private = allow_private
        self._user_agent = f"GenPulse/{version}"
        names = NameResolver(asks_system=allow_private, servers=name_servers)
        self._names: AbstractResolver = names if allow_private else PublicResolver(names)
        self._proxies = proxies
        self._names_by_proxy = NamesByProxy(name_servers)
        self._names_of_proxies = NameResolver(asks_system=True, servers=name_servers)
        self._answer_s = answer_s
        self._tls = tls

    async def send(
        self,
        url: str,
        message_id: str,
        body: bytes,
        *,
        now: datetime,
        secrets: SigningSecrets | None = SHARED,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> Answer:
        """Send it once and follow no redirect. The status line decides. Never raises.

        Without `secrets` it has `headers` in place of those of Standard Webhooks.

        A name has 5 seconds, a connection 5 (by a proxy 10), a status line `answer_s`, and what follows it 1.
        """
        all_headers: dict[str, str] = {}
        try:
            standard = {} if secrets is None else self._standard(message_id, body, now, secrets)
            all_headers = {**self._headers(url), **standard, **_checked(headers)}
            head = await self._post(url, body, all_headers)
            target = Target.of(url)
            answer = excerpts.of_answer(target, all_headers, head.beginning)
            return _answer(head, excerpts.of_request(target, all_headers, body), answer)
        except TimeoutError:
            request = excerpts.of_request(Target.of(url), all_headers, body)
            return Answer(None, f"no answer within {self._answer_s:g} s", silent=True, request_excerpt=request)
        except (NameTimeout, NoConnection) as error:
            return Answer(None, str(error), silent=True)
        except AddressRefused as error:
            return Answer(None, f"{error} (webhooks.allow_private)")
        except (OSError, ValueError) as error:
            return Answer(None, str(error) or type(error).__name__)
        except Exception as error:  # noqa: BLE001 - no answer of a stranger may harm more than its own message
            _log.exception("message %s could not be sent in a way that nobody knows", message_id)
            return Answer(None, f"{type(error).__name__}: {error}")

    def refusal(self, url: str) -> str | None:
        """Why nothing is ever sent there, as far as the URL alone tells; nobody is asked for a name."""
        try:
            self._check(Target.of(url))
        except AddressRefused as error:
            return f"{error} (webhooks.allow_private)"
        except ValueError as error:
            return str(error)
        return None

    def _check(self, target: Target) -> None:
        """Raises `AddressRefused`."""
        if not self._allow_private:
            check_literal(target.host)

    async def _post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Head:
        target = Target.of(url)
        route = await self._route(target)
        if self._tls is None:
            self._tls = ssl.create_default_context()
        return await post(target, route, headers, body, self._tls, self._answer_s)

    async def _route(self, target: Target) -> NetworkRoute:
        proxy = self._proxies.to("https" if target.is_secure else "http", target.host, target.port)
        if proxy is None:
            self._check(target)
            return NetworkRoute(await _addresses(target.host, target.port, self._names))
        if not self._allow_private:
            await self._names_by_proxy.check(target.host)
        try:
            return NetworkRoute(await _addresses(proxy.host, proxy.port, self._names_of_proxies), proxy)
        except NameNotFound as error:
            raise CannotConnect(proxy.absence(target.place, str(error))) from error

    def _headers(self, url: str) -> dict[str, str]:
        headers = {"Content-Type": "application/json", "User-Agent": self._user_agent}
        if (name := URL(url).user) is not None:
            login = f"{name}:{URL(url).password or ''}"
            headers["Authorization"] = f"Basic {b64encode(login.encode()).decode()}"
        return headers

    def _standard(self, message_id: str, body: bytes, now: datetime, secrets: SigningSecrets) -> dict[str, str]:
        headers = {"webhook-id": message_id, "webhook-timestamp": str(int(now.timestamp()))}
        signers = (*map(_signer, secrets.own), *(self._signers if secrets.shared else ()))
        if signers:
            moment, text = now.astimezone(UTC), body.decode()
            headers["webhook-signature"] = " ".join(each.sign(message_id, moment, text) for each in signers)
        return headers

    async def close(self) -> None:
        """Close the resolvers."""
        for names in (self._names, self._names_by_proxy, self._names_of_proxies):
            await names.close()


async def _addresses(host: str, port: int, names: AbstractResolver) -> Sequence[ResolveResult]:
    """The addresses of a host, checked by `names`; no others are connected to."""
    family = _family(host)
    if family is None:
        return await names.resolve(host, port, socket.AF_UNSPEC)
    return [ResolveResult(hostname=host, host=host, port=port, family=family, proto=0, flags=0)]


def _checked(headers: Mapping[str, str]) -> dict[str, str]:
    """Raises `ValueError` for what would end a header, or is none."""
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value):
            raise ValueError(f"the header {name[:100]!r} cannot be sent")
    return dict(headers)


def _signer(secret: str) -> Webhook:
    return Webhook(secret if secret.startswith("whsec_") else secret.encode())


def _answer(head: Head, request: str, answer: str) -> Answer:
    status = head.status or 0
    error = "" if 200 <= status < 300 else f"answered {status} {head.reason}".strip()
    return Answer(status, error, head.retry_after_s, request_excerpt=request, answer_excerpt=answer)


def _family(host: str) -> socket.AddressFamily | None:
    """The family of an address; None for a name."""
    try:
        version = ipaddress.ip_address(host.partition("%")[0]).version
    except ValueError:
        return None
    return socket.AF_INET6 if version == 6 else socket.AF_INET
