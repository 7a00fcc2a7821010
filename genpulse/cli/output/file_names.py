"""Files that commands write: names and descriptions of those that tasks made, and texts."""

import mimetypes
import re
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

from genpulse.cli.errors import CommandRefused

if TYPE_CHECKING:
    from genpulse_client import Asset

_BETTER = {"audio/wav": ".wav", "image/jpeg": ".jpg", "video/mp4": ".mp4", "audio/mpeg": ".mp3"}
_RESERVED = frozenset('<>:"/\\|?*')
_DEVICE = re.compile(r"(?i)con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]")
_AT_BEGIN = "-.~ "
_LONGEST_NAME = 200
"""Bytes: a file system takes 255, of which a number, the ending and the mark of a half file are some."""


def write_text(path: Path, text: str) -> None:
    """Put a text there. Raises `CommandRefused`."""
    try:
        path.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise CommandRefused(f"{path} cannot be written: {error.strerror}. Name another file.") from error


def safe_name(name: str) -> str:
    """One part of a path that any system takes and no shell takes for an option, as close to `name` as that goes.

    What a path, a shell or a terminal reads as something else becomes a dash. It is never empty, hidden, a device
    of Windows, or longer than a file's name with its number and ending may be.
    """
    plain = "".join("-" if _is_odd(letter) else letter for letter in unicodedata.normalize("NFC", name))
    whole = _cut(plain.lstrip(_AT_BEGIN)) or "output"
    return _cut(f"_{whole}") if _DEVICE.fullmatch(whole.partition(".")[0].rstrip()) else whole


def _cut(name: str) -> str:
    return name.encode()[:_LONGEST_NAME].decode(errors="ignore").rstrip(". ")


def _is_odd(letter: str) -> bool:
    """Controls, marks of direction, halves of pairs, and what paths and shells use."""
    return letter in _RESERVED or unicodedata.category(letter) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def suffix_of(media_type: str) -> str:
    """The ending of a file of this type; `.bin` for one that nobody knows."""
    return _BETTER.get(media_type) or mimetypes.guess_extension(media_type) or ".bin"


def target_of(output: Path, name: str, asset: "Asset", number: int, count: int) -> Path:
    """The path of an output: `output` may be a folder, or a name with or without its ending."""
    suffix = suffix_of(asset.media_type)
    if output.is_dir():
        output = output / f"{safe_name(name)}{suffix}"
    elif not output.suffix:
        output = output.with_name(output.name + suffix)
    return output if count == 1 else output.with_name(f"{output.stem}-{number}{output.suffix}")


def described(asset: "Asset") -> str:
    """Such as `PNG, 768 x 768, 1.2 MB`."""
    parts = [suffix_of(asset.media_type)[1:].upper()]
    if asset.width and asset.height:
        parts.append(f"{asset.width} x {asset.height}")
    if asset.duration_s:
        parts.append(f"{asset.duration_s:.1f} s")
    parts.append(_size(asset.size))
    return ", ".join(parts)


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1_000_000 else f"{size / 1e3:.0f} kB"
