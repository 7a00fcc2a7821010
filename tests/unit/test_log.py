"""What is written, and what is hidden."""

import json
import subprocess
import sys

import pytest

from genpulse.log import hide_secrets

SCRIPT = """
import logging
from genpulse import log
from genpulse.environment.table import BY_NAME
log.configure("info", "{form}", environment=BY_NAME["{environment}"], process="worker")
extra = {{"color_message": "twin", "api_key": "hunter2", "url": "redis://:hunter2@h/0"}}
logging.getLogger("genpulse.x").info("task %s ended", 7, extra=extra)
logging.getLogger("genpulse.x").debug("not shown")
"""


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
