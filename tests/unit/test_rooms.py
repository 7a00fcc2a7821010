"""A folder holds what one look takes in, and the map leads to files that are there."""

import re
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
MAP = ROOT / "docs/explanation/architecture.md"
MOST = 16
"""Modules of a folder, besides its `__init__`."""
ROOMY = {
    "genpulse/adapters/database/migrations/versions": "one for each change of the schema, for ever",
}
_PATH = re.compile(r"`((?:[a-z_0-9]+/)+[a-z_0-9]+\.py)`")


def test_no_folder_holds_more_modules_than_one_look_takes_in():
    folders = Counter(
        path.parent.relative_to(ROOT).as_posix()
        for path in (ROOT / "genpulse").rglob("*.py")
        if path.name != "__init__.py"
    )
    assert {folder: size for folder, size in folders.items() if size > MOST and folder not in ROOMY} == {}


def test_every_package_says_what_it_holds():
    empty = [
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "genpulse").rglob("__init__.py")
        if not path.read_text(encoding="utf-8").startswith('"""')
    ]
    assert empty == []


def test_the_map_leads_to_files_that_are_there():
    paths = set(_PATH.findall(MAP.read_text(encoding="utf-8")))
    rooms = (ROOT / "genpulse", ROOT)
    assert len(paths) > 60
    assert sorted(path for path in paths if not any((room / path).is_file() for room in rooms)) == []
