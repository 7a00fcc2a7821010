"""The file of a picture that was painted anew."""

import io
from pathlib import Path

from PIL import Image as Picture
from PIL.PngImagePlugin import PngInfo

from genpulse.provider import Report
from genpulse.providers.sandbox.pictures.brush import Brush
from genpulse.providers.sandbox.pictures.source import read_picture


def painted_file(
    path: Path, words: str, seed: int, strength: float, longest: int, comment: str, report: Report
) -> bytes:
    """A PNG of the picture at `path`, at most `longest` pixels wide and high, with `comment` in it."""
    report(0.0, "reading the picture")
    brush = Brush(read_picture(path, longest), words, seed)
    pixels = brush.painted(strength, lambda share: report(0.1 + 0.8 * share, "painting"))
    notes = PngInfo()
    notes.add_text("Software", "GenPulse sandbox/restyle")
    notes.add_text("Comment", comment)
    file = io.BytesIO()
    Picture.fromarray(pixels).save(file, "PNG", pnginfo=notes, compress_level=3)
    report(1.0, "done")
    return file.getvalue()
