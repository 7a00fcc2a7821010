from xml.etree import ElementTree as ET

from genpulse.branching.rules.drawing import mermaid, svg
from genpulse.branching.rules.table import BRANCHES


def test_mermaid_shows_every_branch_and_every_arrow():
    text = mermaid()
    for row in BRANCHES:
        assert f"<b>{row.pattern}</b>" in text
    assert text.count(" -- ") == 4
    assert 'dev -- "flow promote test" --> test' in text


def test_svg_is_well_formed_and_shows_every_branch():
    drawing = ET.fromstring(svg())
    texts = {element.text for element in drawing.iter("{http://www.w3.org/2000/svg}text")}
    assert {row.pattern for row in BRANCHES} <= texts
    assert len(list(drawing.iter("{http://www.w3.org/2000/svg}line"))) == 4
