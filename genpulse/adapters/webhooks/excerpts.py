"""What of a message and its answer is kept for people: the beginning, without what opens anything."""

import re
from collections.abc import Iterator, Mapping
from urllib.parse import parse_qsl

from genpulse.adapters.webhooks.exchange import Target
from genpulse.domain.text.storable import storable

KEPT_BYTES = 2048
_SECRET = re.compile(r"auth|cookie|key|pass|secret|signature|token", re.IGNORECASE)
_HEADER = re.compile(r"^([^\s:]+)(:[ \t]*)(\S.*)$", re.MULTILINE)
_HEAD_ENDS = re.compile(r"\r?\n\r?\n")
_HIDDEN = "…"
_SHORTEST = 4
"""Characters of what is hidden wherever it stands; what is shorter stands in any text."""


def of_request(target: Target, headers: Mapping[str, str], body: bytes) -> str:
    """The request without the query of its address, in which receivers like to be told a secret."""
    path, mark, _ = target.resource.partition("?")
    lines = [f"POST {path}{f'?{_HIDDEN}' if mark else ''}", f"Host: {target.authority}"]
    lines += (f"{name}: {_HIDDEN if _SECRET.search(name) else value}" for name, value in headers.items())
    head = "\n".join(lines)
    return storable(f"{head}\n\n{_beginning(body)}")


def of_answer(target: Target, headers: Mapping[str, str], raw: bytes) -> str:
    """The answer as it came, but for headers that may open something, and for secrets of the request in it."""
    text = _beginning(raw)
    for secret in sorted(set(_secrets(target, headers)), key=len, reverse=True):
        text = _without(text, secret)
    end = _HEAD_ENDS.search(text)
    head, rest = (text[: end.start()], text[end.end() :]) if end else (text, "")
    shown = _HEADER.sub(_shown, head).replace("\r\n", "\n")
    return storable(f"{shown}\n\n{rest}" if end else shown)


def _secrets(target: Target, headers: Mapping[str, str]) -> Iterator[str]:
    query = target.resource.partition("?")[2]
    hidden = [value for name, value in headers.items() if _SECRET.search(name)]
    words = [word for value in hidden for word in value.split()]
    for text in (query, *hidden, *words, *(value for _, value in parse_qsl(query))):
        if len(text) >= _SHORTEST:
            yield text


def _without(text: str, secret: str) -> str:
    """Nor a part of it where the text is cut off."""
    text = text.replace(secret, _HIDDEN)
    bare = text.removesuffix(_HIDDEN)
    for length in range(len(secret) - 1, _SHORTEST - 1, -1):
        if bare.endswith(secret[:length]):
            return f"{bare[:-length]}{_HIDDEN}"
    return text


def _shown(header: re.Match[str]) -> str:
    name, colon, value = header.groups()
    return f"{name}{colon}{_HIDDEN if _SECRET.search(name) else value}"


def _beginning(data: bytes) -> str:
    text = data[:KEPT_BYTES].decode("utf-8", "replace")
    return f"{text}{_HIDDEN}" if len(data) > KEPT_BYTES else text
