"""The model as a drawing for a document: Mermaid, or SVG."""

from html import escape

from genpulse.branching.rules.table import DEV, LANES, MAIN, TEST, TOPICS, Branch

_TAGS = {"candidate": "vX.Y.Z-rc.N", "final": "vX.Y.Z"}
_STEPS = {DEV.key: "promote test", TEST.key: "promote main"}
_WIDTH, _HEIGHT, _GAP, _EDGE = 190, 96, 110, 16
_BETWEEN = 32
_TALL = 2 * _HEIGHT + _BETWEEN
_COLOURS = {DEV.key: "#2f6fdd", TEST.key: "#b7791f", MAIN.key: "#2f855a"}
_GREY = "#718096"


def mermaid() -> str:
    """A Mermaid flowchart."""
    rows = (*TOPICS, *LANES)
    lines = ["flowchart LR"]
    lines += [f'    {_id(row)}["<b>{row.pattern}</b><br/>{row.purpose}<br/>{_lower(row)}"]' for row in rows]
    lines += [f'    {_id(row)} -- "{_step(row)}" --> {row.merges_into}' for row in rows if row.merges_into]
    lines += [f"    {_id(DEV)} -. flow start .-> {_id(topic)}" for topic in TOPICS]
    return "\n".join(lines) + "\n"


def svg() -> str:
    """An SVG drawing of its own, without script or outside font; legible on light and dark paper."""
    width = 2 * _EDGE + 4 * _WIDTH + 3 * _GAP
    parts = []
    for place, topic in enumerate(TOPICS):
        top = _EDGE + place * (_HEIGHT + _BETWEEN)
        parts += [_box(topic, 0, top, _HEIGHT), _arrow(topic, 0, top + _HEIGHT // 2)]
    for column, lane in enumerate(LANES, start=1):
        parts.append(_box(lane, column, _EDGE, _TALL))
        if lane.merges_into:
            parts.append(_arrow(lane, column, _EDGE + _TALL // 2))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {_TALL + 2 * _EDGE}" role="img" '
        f'aria-label="The branching model" font-family="system-ui, sans-serif" font-size="13">\n'
        f'<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" '
        f'orient="auto"><path d="M0 0 8 4 0 8z" fill="{_GREY}"/></marker></defs>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def _id(row: Branch) -> str:
    return row.prefix.rstrip("/")


def _lower(row: Branch) -> str:
    return f"{row.target} · {_TAGS[row.tags]}" if row.tags else row.target


def _step(row: Branch) -> str:
    return f"flow {_STEPS.get(row.key, 'finish')}"


def _left(column: int) -> int:
    return _EDGE + column * (_WIDTH + _GAP)


def _box(row: Branch, column: int, top: int, height: int) -> str:
    left, colour = _left(column), _COLOURS.get(row.key, _GREY)
    lines = ((600, row.pattern), (400, row.purpose), (400, row.target), (400, _TAGS[row.tags] if row.tags else ""))
    first = top + height // 2 - 11 * len([text for _, text in lines if text]) + 15
    texts = "".join(
        f'<text x="{left + _WIDTH // 2}" y="{first + place * 22}" text-anchor="middle" font-weight="{weight}" '
        f'fill="{colour}">{escape(text)}</text>'
        for place, (weight, text) in enumerate(lines)
        if text
    )
    frame = f'<rect x="{left}" y="{top}" width="{_WIDTH}" height="{height}" rx="10" fill="none"'
    return f'<g>{frame} stroke="{colour}" stroke-width="2"/>{texts}</g>'


def _arrow(row: Branch, column: int, height: int) -> str:
    left, right = _left(column) + _WIDTH + 4, _left(column + 1) - 4
    line = f'<line x1="{left}" y1="{height}" x2="{right}" y2="{height}" stroke="{_GREY}" stroke-width="2"'
    return (
        f'<g>{line} marker-end="url(#tip)"/><text x="{(left + right) // 2}" y="{height - 8}" text-anchor="middle" '
        f'font-size="11" fill="{_GREY}">{escape(_step(row))}</text></g>'
    )
