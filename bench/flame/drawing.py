"""A flame graph as a plain SVG: what calls stands above what is called, and widths are shares of the time."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from bench.flame.samples import Frames, Parts, Samples, part_of

_WIDTH, _ROW, _TOP, _LETTER = 1200, 15, 64, 6.1
_LEAST = 0.002
"""The share from which on a call is drawn."""
_COLOURS = ("#b9bfc4", "#7fb3d5", "#f5b971", "#c39bd3", "#82c9a0", "#f1948a", "#e6d36f", "#9fd8d2", "#d7b89c")


@dataclass(frozen=True, slots=True)
class _Box:
    frames: Frames
    begin: float
    share: float


def draw(samples: Samples, parts: Parts, title: str, path: Path) -> None:
    """Write the picture. Hovering over a call tells its share."""
    colours = dict(zip(parts, _COLOURS, strict=False))
    boxes = [box for box in _boxes(samples) if box.share >= _LEAST]
    height = _TOP + _ROW * max(len(box.frames) for box in boxes) + 8
    root = ET.Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "viewBox": f"0 0 {_WIDTH} {height}",
            "font-family": "sans-serif",
            "font-size": "10",
        },
    )
    ET.SubElement(root, "rect", width=str(_WIDTH), height=str(height), fill="#ffffff")
    _text(root, title, 6, 18, size=14)
    _legend(root, colours)
    for box in boxes:
        _draw_box(root, box, colours[part_of(box.frames, parts)])
    ET.indent(root)
    path.write_text(ET.tostring(root, encoding="unicode") + "\n")


def _legend(root: ET.Element, colours: dict[str, str]) -> None:
    x, y = 6.0, 30
    for name, colour in colours.items():
        needed = 22 + len(name) * _LETTER
        if x + needed > _WIDTH:
            x, y = 6.0, y + 16
        ET.SubElement(root, "rect", x=f"{x:.1f}", y=str(y), width="12", height="12", fill=colour)
        _text(root, name, x + 16, y + 10)
        x += needed


def _draw_box(root: ET.Element, box: _Box, colour: str) -> None:
    x, width = box.begin * _WIDTH, box.share * _WIDTH
    y = _TOP + _ROW * (len(box.frames) - 1)
    group = ET.SubElement(root, "g")
    ET.SubElement(group, "title").text = f"{box.frames[-1]}) {box.share:.1%}"
    place = {"x": f"{x:.1f}", "y": str(y), "width": f"{max(width - 0.5, 0.5):.1f}", "height": str(_ROW - 1)}
    ET.SubElement(group, "rect", {**place, "fill": colour})
    letters = int((width - 4) / _LETTER)
    if letters >= 3:
        name = box.frames[-1].partition(" (")[0]
        _text(group, name if len(name) <= letters else f"{name[: letters - 1]}…", x + 2, y + 11)


def _text(parent: ET.Element, words: str, x: float, y: float, size: int | None = None) -> None:
    attributes = {"x": f"{x:.1f}", "y": str(y), **({"font-size": str(size)} if size else {})}
    ET.SubElement(parent, "text", attributes).text = words


def _boxes(samples: Samples) -> Iterator[_Box]:
    """Every call, beside its kin in the order of their names."""
    sums: Counter[Frames] = Counter()
    for frames, count in samples.stacks.items():
        for depth in range(1, len(frames) + 1):
            sums[frames[:depth]] += count
    ends: dict[Frames, float] = {}
    for frames in sorted(sums):
        share = sums[frames] / samples.total
        begin = ends.get(frames[:-1], 0.0)
        ends[frames] = begin
        ends[frames[:-1]] = begin + share
        yield _Box(frames, begin, share)
