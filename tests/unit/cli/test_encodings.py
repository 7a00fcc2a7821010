"""Whatever the terminal can show, nothing that is said to it ends in an error."""

import io
import itertools

import pytest

from genpulse.__main__ import take_everything
from genpulse.cli.output import console as drawing

WORDS = "✓ tick → arrow … 漢字 \udce9 ┃ ✘"


@pytest.mark.parametrize(
    ("encoding", "errors"),
    list(
        itertools.product(
            ("ascii", "latin-1", "cp1252", "utf-8", "utf-16"),
            ("strict", "surrogateescape", "replace", "backslashreplace", "ignore"),
        )
    ),
)
def test_a_stream(encoding, errors):
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding, errors=errors)
    take_everything(stream)
    stream.write(WORDS)
    drawing.console(file=stream, width=80).print(WORDS)
    stream.flush()
    assert "tick" in raw.getvalue().decode(encoding, "replace")


def test_what_is_no_stream_of_the_system_stays_as_it_is():
    stream = io.StringIO()
    take_everything(stream)
    stream.write(WORDS)
    assert stream.getvalue() == WORDS
