"""The media type of a file, told by its bytes and by nothing else.

`puremagic` knows the signatures; what it confuses or does not know of today's media is decided here first.
"""

import json
import os
import re
from typing import BinaryIO

UNKNOWN = "application/octet-stream"

_LOOKED_AT = 1 << 16
_LARGEST_JSON = 1 << 20
_CONTROLS = bytes(sorted({*range(0x20)} - set(b"\t\n\f\r\x1b")))
_TWO_BYTES = 0.2
_SURE_OF_TWO_BYTES = {"image/x-ms-bmp", "image/jxl"}

_SIGNATURES = {
    b"glTF": "model/gltf-binary",
    b"%PDF-": "application/pdf",
    b"PK\x03\x04": "application/zip",
    b"PK\x05\x06": "application/zip",
}
_BRANDS = {
    b"avif": "image/avif",
    b"avis": "image/avif",
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"mif1": "image/heif",
    b"msf1": "image/heif",
    b"qt  ": "video/quicktime",
    b"M4A ": "audio/mp4",
    b"M4B ": "audio/mp4",
    b"3g2a": "video/3gpp2",
    b"3gp4": "video/3gpp",
    b"3gp5": "video/3gpp",
    b"3gp6": "video/3gpp",
}
_USUAL_NAMES = {
    "application/x-gzip": "application/gzip",
    "audio/wave": "audio/wav",
    "audio/x-wav": "audio/wav",
    "audio/vnd.wave": "audio/wav",
    "audio/x-flac": "audio/flac",
    "audio/x-aiff": "audio/aiff",
    "image/x-ms-bmp": "image/bmp",
    "video/avi": "video/x-msvideo",
}
_PROLOGUE = re.compile(
    r"\s+|<\?.*?\?>|<!--.*?-->|<!DOCTYPE\s+(?:[\w.-]+:)?svg\b[^>\[]*(?:\[[^\]]*\]\s*)?>", re.DOTALL | re.IGNORECASE
)
_SVG = re.compile(r"<(?:[A-Za-z_][\w.-]*:)?svg[\s>/]")
_HTML = re.compile(
    r"<(?:!doctype html|html|head|body|script|iframe|style|title|table|div|font|h1|br|a|b|p)[\s>/]", re.IGNORECASE
)


def media_type_of(file: BinaryIO) -> str:
    """The type, or `application/octet-stream` for what is empty or unknown.

    Text is valid UTF-8 without control characters. JSON is recognised up to 1 MiB.
    """
    file.seek(0)
    head = file.read(_LOOKED_AT)
    return _by_signature(head) or _text_type(file, head) or _by_puremagic(file)


def _by_signature(head: bytes) -> str | None:
    for signature, name in _SIGNATURES.items():
        if head.startswith(signature):
            return name
    if head[4:8] == b"ftyp":
        return _iso_media(head)
    if head.startswith(b"\x1aE\xdf\xa3"):
        return "video/webm" if b"webm" in head[:64] else "video/x-matroska"
    if head[0:377:188] == b"GGG":
        return "video/mp2t"
    return _mpeg_audio(head)


def _iso_media(head: bytes) -> str:
    """The container of MP4, QuickTime and AVIF: by its brand, or by what that brand says it is compatible with."""
    length = min(int.from_bytes(head[:4], "big"), 256)
    compatible = [head[start : start + 4] for start in range(16, length, 4)]
    brand = head[8:12]
    if brand in {b"mif1", b"msf1"}:
        brand = next(
            (other for other in compatible if _BRANDS.get(other, "") in {"image/avif", "image/heic"}), brand
        )
    return _BRANDS.get(brand, "video/mp4")


def _mpeg_audio(head: bytes) -> str | None:
    """Frames without an ID3 tag before them. Two bytes prove little: the caller has to find sound in it."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0 or head[2] & 0xF0 == 0xF0:
        return None
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    if layer == 0:
        return "audio/aac" if head[1] & 0xF0 == 0xF0 else None
    return "audio/mpeg" if layer != 3 and version != 1 else None


def _text_type(file: BinaryIO, head: bytes) -> str | None:
    text = _text(head)
    if text is None:
        return None
    text = _without_prologue(text)
    if _HTML.match(text):
        return "text/html"
    if _SVG.match(text):
        return "image/svg+xml"
    return "application/json" if _is_json(file) else "text/plain"


def _text(head: bytes) -> str | None:
    """A character that is cut off at the end of what was read is no fault."""
    if not head or len(head.translate(None, _CONTROLS)) < len(head):
        return None
    try:
        return head.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if len(head) < _LOOKED_AT or error.start < len(head) - 3:
            return None
        return head[: error.start].decode("utf-8-sig")


def _without_prologue(text: str) -> str:
    """The content after XML declarations, comments and the document type."""
    at = 0
    while part := _PROLOGUE.match(text, at):
        at = part.end()
    return text[at:]


def _is_json(file: BinaryIO) -> bool:
    if file.seek(0, os.SEEK_END) > _LARGEST_JSON:
        return False
    file.seek(0)
    content = file.read()
    if not content.lstrip().startswith((b"{", b"[")):
        return False
    try:
        json.loads(content)
    except (ValueError, RecursionError):
        return False
    return True


def _by_puremagic(file: BinaryIO) -> str:
    import puremagic  # a twelfth of a second that few files need

    file.seek(0)
    try:
        matches = puremagic.magic_stream(file)
    except (puremagic.PureError, ValueError):
        return UNKNOWN
    for match in matches:
        name = str(match.mime_type)
        if name and (match.confidence > _TWO_BYTES or name in _SURE_OF_TWO_BYTES):
            return _USUAL_NAMES.get(name, name)
    return UNKNOWN
