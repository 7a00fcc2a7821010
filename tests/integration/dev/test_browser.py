"""Opening a page, with a small program in place of a browser."""

import subprocess
import sys

import pytest

OPEN = "import sys; from genpulse.dev.terminal.browser import open_page; print(open_page(sys.argv[1]))"
URL = "http://127.0.0.1:8000/docs"

pytestmark = pytest.mark.skipif(sys.platform == "darwin", reason="xdg-open is of other systems")


def opened(folder, **environment):
    done = subprocess.run(
        [sys.executable, "-c", OPEN, URL],
        env={"PATH": str(folder), **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip() == "True"


def put_opener(folder, code=0):
    program = folder / "xdg-open"
    program.write_text(f'#!/bin/sh\necho "$1" > "{folder}/opened"\nexit {code}\n')
    program.chmod(0o755)


def test_a_page_opens_where_there_is_a_screen(tmp_path):
    put_opener(tmp_path)
    assert opened(tmp_path, DISPLAY=":9")
    assert (tmp_path / "opened").read_text().strip() == URL


def test_without_a_screen_no_browser_takes_the_terminal(tmp_path):
    put_opener(tmp_path)
    assert not opened(tmp_path)
    assert not (tmp_path / "opened").exists()


def test_a_browser_that_fails_or_is_missing_is_said(tmp_path):
    assert not opened(tmp_path, DISPLAY=":9")
    put_opener(tmp_path, code=3)
    assert not opened(tmp_path, WAYLAND_DISPLAY="wayland-9")
