"""Names of files that commands make of what strangers wrote."""

import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from genpulse.cli.output.file_names import safe_name, target_of
from genpulse_client.results.asset import asset_of
from tests.drawn import examples

PNG = asset_of({"id": "a", "url": "", "media_type": "image/png", "bytes": 1, "sha256": "0"})
WORDS = [*"a.-~ /\\:\0\n\u202e\ud800é", "con", "NUL", "e\u0301", "🦊" * 60]


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("image-1a2b3c", "image-1a2b3c"),
        ("sdxl-1.0", "sdxl-1.0"),
        ("Füchse im Schnee", "Füchse im Schnee"),
        ("狐", "狐"),
        ("fox 🦊", "fox 🦊"),
        ("a/b", "a-b"),
        ("a\\b", "a-b"),
        ("../../etc/passwd", "etc-passwd"),
        ("..", "output"),
        (".", "output"),
        ("", "output"),
        ("   ", "output"),
        (".bashrc", "bashrc"),
        ("-rf", "rf"),
        ("--help", "help"),
        ("~root", "root"),
        ("a.", "a"),
        ("a. . ", "a"),
        ('<a>:"b"|?*', "a---b----"),
        ("a\0b", "a-b"),
        ("a\nb\tc\x1b[31m", "a-b-c-[31m"),
        ("a\x7fb\x85c", "a-b-c"),
        ("gpj.\u202egnp", "gpj.-gnp"),
        ("a\u200bb\ufeff", "a-b-"),
        ("a\u2028b", "a-b"),
        ("a\ud800b", "a-b"),
        ("e\u0301", "é"),
        ("con", "_con"),
        ("NUL.txt", "_NUL.txt"),
        ("com1", "_com1"),
        ("aux .png", "_aux .png"),
        ("console", "console"),
        ("com10", "com10"),
        ("x" * 300, "x" * 200),
        ("é" * 150, "é" * 100),
        ("x" + "é" * 150, "x" + "é" * 99),
        ("con." + "x" * 300, "_con." + "x" * 195),
    ],
)
def test_odd_names_are_made_safe(name, safe):
    assert safe_name(name) == safe


@settings(max_examples=examples(300))
@example("con." + "x" * 196)
@given(st.text(max_size=300) | st.lists(st.sampled_from(WORDS), max_size=12).map("".join))
def test_any_name_is_one_part_of_a_path(name):
    safe = safe_name(name)
    assert safe == safe_name(safe)
    assert 0 < len(safe.encode()) <= 200
    assert safe[0] not in "-.~ "
    assert safe[-1] not in ". "
    assert not set(safe) & set('<>:"/\\|?*')
    assert all(unicodedata.category(letter)[0] != "C" for letter in safe)


@settings(max_examples=examples(50))
@given(st.lists(st.sampled_from(WORDS), max_size=12).map("".join))
def test_an_output_stays_in_its_folder(tmp_path_factory, name):
    folder = tmp_path_factory.mktemp("out")
    for number in (1, 1000):
        target = target_of(folder, name, PNG, number, 1000)
        target.write_bytes(b"")
        assert [target.parent, target.resolve().parent, target.suffix] == [folder, folder.resolve(), ".png"]
