"""What servers of our own warn of without need is not shown; all else is."""

import os
import sys
import threading

from genpulse.dev.processes.child import Child, Command


def test_a_line_that_is_not_to_be_said(guard, tmp_path):
    heard, ended = [], threading.Event()

    def hear(name, line):
        heard.append((name, line))
        if line == "last":
            ended.set()

    lines = ("first", "a WARNING that is known", "a warning", "last")
    program = f"print({', '.join(map(repr, lines))}, sep='\\n', flush=True)"
    arguments = [sys.executable, "-c", program]
    command = Command("redis", arguments, dict(os.environ), tmp_path, unsaid=("WARNING that is",))
    child = Child(command, guard, hear)
    assert ended.wait(30)
    child.stop(10)
    assert heard == [("redis", line) for line in lines if "WARNING" not in line]
    assert "a WARNING that is known" in child.last_lines  # for whoever looks for the reason of a failed start
