"""Files that commands write: names and descriptions of those that tasks made, and texts."""

import mimetypes
from pathlib import Path
from typing import TYPE_CHECKING

from genpulse.cli.errors import CommandRefused

if TYPE_CHECKING:
    from genpulse_client import Asset

_BETTER = {"audio/wav": ".wav", "image/jpeg": ".jpg", "video/mp4": ".mp4", "audio/mpeg": ".mp3"}


def write_text(path: Path, text: str) -> None:
    """Put a text there. Raises `CommandRefused`."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandRefused(f"{path} cannot be written: {error.strerror}. Name another file.") from error


def suffix_of(media_type: str) -> str:
    """The ending of a file of this type; `.bin` for one that nobody knows."""
    return _BETTER.get(media_type) or mimetypes.guess_extension(media_type) or ".bin"


def target_of(output: Path, name: str, asset: "Asset", number: int, count: int) -> Path:
    """The path of an output: `output` may be a folder, or a name with or without its ending."""
    suffix = suffix_of(asset.media_type)
    if output.is_dir():
        output = output / f"{name}{suffix}"
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
