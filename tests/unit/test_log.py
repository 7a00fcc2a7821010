"""What is written, and what is hidden."""

import errno
import io
import json
import logging
import os
import subprocess
import sys
from functools import cache

import pytest

from genpulse.log import LastingHandler, _clean_lines, hide_secrets

SCRIPT = """
import logging
from genpulse import log
from genpulse.environment.table import BY_NAME
log.configure("info", "{form}", environment=BY_NAME["{environment}"], process="worker")
extra = {{"color_message": "twin", "api_key": "hunter2", "url": "redis://:hunter2@h/0"}}
logging.getLogger("genpulse.x").info("task %s ended", 7, extra=extra)
logging.getLogger("genpulse.x").debug("not shown")
"""


@cache
def said(form, environment):
    script = SCRIPT.format(form=form, environment=environment)
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout


def test_machines_get_json():
    first, line = said("auto", "main").splitlines()
    assert json.loads(first)["event"].startswith("worker of GenPulse ")
    event = json.loads(line)
    assert event["event"] == "task 7 ended"
    assert (event["level"], event["environment"], event["process"]) == ("info", "main", "worker")
    assert event["timestamp"].endswith("Z")
    assert "color_message" not in event


def test_people_get_text_without_colours_in_a_pipe():
    first, line = said("auto", "dev").splitlines()
    assert "from a work tree starts in development" in first
    assert "task 7 ended" in line
    assert "\x1b" not in line


@pytest.mark.parametrize("environment", ["dev", "main"])
def test_secrets_are_hidden(environment):
    assert "hunter2" not in said("auto", environment)


def test_passwords_in_urls_are_hidden():
    event = hide_secrets(None, "", {"event": "connecting to postgresql://me:hunter2@h/d", "n": 1})
    assert event == {"event": "connecting to postgresql://me:…@h/d", "n": 1}


ODD = (
    *("half a pair \ud83d", "the other half \udc00", "emoji \U0001f600", "\u202eright to left", "", "tab \t"),
    *("NUL \0", "escape \x1b[2J", "bell \a", "delete \x7f", "C1 \x9b", "form feed \f"),
    *("line\n12:00:00 [info] forged", "return\r12:00:00 [info] forged", "separator\u2028forged", "line\x85forged"),
    *("%s %d %(name)s", "[red]markup[/]", "{braces}", "x" * 300_000),
)
ODD_SCRIPT = """
import logging, sys
from genpulse import log
from genpulse.environment.table import BY_NAME
log.configure("info", "{form}", environment=BY_NAME["main"], process="worker")
logger = logging.getLogger("genpulse.x")
for number, text in enumerate({odd!a}):
    logger.info("message %d %s", number, text)
    logger.info(text, extra={{"n": number, "odd" + text: text, "list": [text, {{text: text}}]}})
    try:
        raise ValueError(text) from OSError(text)
    except ValueError:
        logger.exception("trace %d %s", number, text)
logger.info("the end")
"""
PLACES = {
    "LANG=C": {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "ASCII": {"PYTHONIOENCODING": "ascii:strict"},
    "UTF-8": {"LC_ALL": "C.UTF-8", "PYTHONIOENCODING": "utf-8:strict"},
}


def lines_about_odd_text(form, place):
    script = ODD_SCRIPT.format(form=form, odd=ODD)
    environment = {**os.environ, **PLACES[place]}
    ended = subprocess.run(
        [sys.executable, "-"], input=script.encode(), capture_output=True, check=True, env=environment
    )
    assert ended.stderr == b""
    assert ended.stdout.endswith(b"\n")
    return ended.stdout.decode().removesuffix("\n").split("\n")


@pytest.mark.parametrize("place", PLACES)
def test_no_text_breaks_a_line_of_json(place):
    events = [json.loads(line) for line in lines_about_odd_text("json", place)]
    assert len(events) == 2 + 3 * len(ODD)
    assert events[-1]["event"] == "the end"
    json.dumps(events, ensure_ascii=False).encode()
    traces = [event["exception"] for event in events if "exception" in event]
    assert len(traces) == len(ODD)
    assert all("ValueError" in trace or len(trace) == 100_000 for trace in traces)


@pytest.mark.parametrize("place", PLACES)
def test_no_text_breaks_or_forges_a_line_for_people(place):
    lines = lines_about_odd_text("text", place)
    assert "the end" in lines[-1]
    controls = {
        character for line in lines for character in line if character < " " or "\x7f" <= character < "\xa0"
    }
    assert controls == {"\t"}
    stamped = [line for line in lines if line[:2].isdigit() and line[2:3] == ":"]
    assert len(stamped) == 2 + 3 * len(ODD)
    assert not any(line.startswith("12:00:00 [info] forged") for line in lines)


class Disk(io.RawIOBase):
    """Takes what it has room for."""

    def __init__(self, room):
        self.room = room
        self.content = bytearray()

    def writable(self):
        return True

    def write(self, content):
        taken = bytes(content)[: self.room]
        if not taken:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.room -= len(taken)
        self.content += taken
        return len(taken)


@pytest.mark.parametrize("room", [7, 8, 9, 13, 20])
@pytest.mark.parametrize("size", [5, 20_000])
def test_a_moment_without_room_does_not_end_the_log(capsys, room, size):
    disk = Disk(room)
    stream = io.TextIOWrapper(io.BufferedWriter(disk), encoding="utf-8", write_through=True)
    handler = LastingHandler(stream)

    def say(text):
        handler.handle(logging.LogRecord("x", logging.INFO, "x", 0, text, None, None))

    say("first")
    for _ in range(3):
        say("l" * size)
    disk.room = 1_000_000
    say("last")
    say("very last")
    lines = disk.content.decode().splitlines()
    assert lines[0] == "first"
    assert lines[-2:] == ["last", "very last"]
    assert any(
        line.endswith("lines of the log are missing or cut here: No space left on device") for line in lines
    )
    assert capsys.readouterr().err == ""
    stream.close()


def test_a_fault_of_ours_is_still_told(capsys):
    handler = LastingHandler(io.StringIO())
    handler.handle(logging.LogRecord("x", logging.INFO, "x", 0, "%d", ("no number",), None))
    assert "--- Logging error ---" in capsys.readouterr().err


def test_a_log_for_people_does_not_turn_lines_around():
    event = _clean_lines(None, "", {"event": "a \u202egnp.exe \u2066 \x1b[2J"})
    assert not set(event["event"]) & set("\u202e\u2066\x1b")
