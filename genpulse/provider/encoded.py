"""Files inside of answers and inputs: base64 as it is met in the world, and data: URIs."""

import base64
import re
from urllib.parse import unquote_to_bytes

_SPACE = re.compile(rb"\s+")
_ALPHABET = re.compile(rb"[A-Za-z0-9+/]+")
_WORD = re.compile(r"/?([A-Z]?[a-z]+|[A-Z]+)([_/-]([A-Z]?[a-z]+|[A-Z]+))*")
"""`failed`, `content_policy_violation`, `/static/pictures`: all of it is in the alphabet of base64."""
_LONGEST_WORD = 34
"""No picture has so few characters in base64."""
_URL_ALPHABET = bytes.maketrans(b"-_", b"+/")


def decoded(text: str) -> bytes:
    """The bytes of a text in base64, or of a data: URI.

    Base64 may be in lines, without its padding, in the alphabet of URLs, or percent-encoded. Raises `ValueError`
    for what is neither, for what is empty, and for a word that happens to be written in that alphabet.
    """
    if is_data_uri(text):
        return data_uri(text)[1]
    if len(word := text.strip()) <= _LONGEST_WORD and _WORD.fullmatch(word):
        raise ValueError(f"it is the word {word!r}")
    return _decoded(text)


def is_data_uri(text: str) -> bool:
    """Whether it begins as one."""
    return text.lstrip()[:5].lower() == "data:"


def data_uri(text: str) -> tuple[str, bytes]:
    """The media type that a data: URI names, "" for none, and its bytes: base64 or percent-encoded (RFC 2397).

    Raises `ValueError` for what is none, and for an empty one.
    """
    head, comma, content = text.strip().partition(",")
    if not is_data_uri(head) or not comma:
        raise ValueError("it is no data: URI, which is data:<media type>;base64,<content>")
    media_type, *parameters = (part.strip().lower() for part in head[5:].split(";"))
    content_ = _decoded(content) if "base64" in parameters else unquote_to_bytes(content)
    if not content_:
        raise ValueError("the data: URI is empty")
    return media_type, content_


def _decoded(text: str) -> bytes:
    plain = _SPACE.sub(b"", unquote_to_bytes(text)).rstrip(b"=").translate(_URL_ALPHABET)
    if not plain:
        raise ValueError("it is empty")
    if not _ALPHABET.fullmatch(plain) or len(plain) % 4 == 1:
        raise ValueError("it is not base64")
    return base64.b64decode(plain + b"=" * (-len(plain) % 4), validate=True)
