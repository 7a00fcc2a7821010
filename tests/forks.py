"""Runs tests in several processes that are forks of one: what they share is imported and collected once.

`python -m pytest -p tests.forks --forks 8`. A process asks for more when one test is left to it, since the next
says which fixtures end. A test in which its process ends has failed, and another process goes on.
"""

import contextlib
import os
import warnings
from collections import deque
from collections.abc import Iterator, Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import pytest
from _pytest.terminal import TerminalReporter

from tests.deal import batches

IS_ONE_OF_MANY = pytest.StashKey[bool]()
"""Whether this process is one of several that run tests."""
_CONTEXT = get_context("fork")
_PATIENCE_S = 60.0
_PARTED = (EOFError, BrokenPipeError, ConnectionResetError)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--forks", type=int, default=0, help="how many processes run the tests (default: this one)")


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    count: int = session.config.option.forks
    if not count or session.config.option.collectonly or session.testsfailed:
        return None
    with _Crew(session, count) as crew:
        crew.run()
    if session.shouldfail:
        raise session.Failed(session.shouldfail)
    if session.shouldstop:
        raise session.Interrupted(session.shouldstop)
    return True


class _Fork:
    """A process as its parent sees it: what it has not ended yet, of which the first is what it is at."""

    def __init__(self, session: pytest.Session, folder: Path, others: Sequence[Connection]) -> None:
        self.left: deque[int] = deque()
        self.pipe, theirs = _CONTEXT.Pipe()
        self.process = _CONTEXT.Process(target=_live, args=(session, folder, theirs, [self.pipe, *others]))
        self.process.start()
        theirs.close()

    def give(self, batch: Sequence[int]) -> None:
        """Hand it more; from nothing it learns that no more will come."""
        self.left.extend(batch)
        with contextlib.suppress(*_PARTED):
            self.pipe.send(batch)


class _Crew:
    """The processes, and what none of them has begun."""

    def __init__(self, session: pytest.Session, count: int) -> None:
        self._session, self._count = session, count
        self._batches = deque(batches(session.items))
        self._forks: dict[Connection, _Fork] = {}
        self._started = 0

    def __enter__(self) -> "_Crew":
        if reporter := self._session.config.pluginmanager.getplugin("terminalreporter"):
            reporter.showfspath = False  # tests of several files come in turn
        for _ in range(min(self._count, len(self._batches))):
            self._start()
        return self

    def __exit__(self, *_: object) -> None:
        """Without a parent they end with the test that they are at."""
        for fork in self._forks.values():
            fork.pipe.close()
        for fork in self._forks.values():
            fork.process.join(_PATIENCE_S)
            fork.process.kill()

    def run(self) -> None:
        """Until all has run, or enough has failed."""
        while self._forks and not (self._session.shouldfail or self._session.shouldstop):
            for pipe in wait(list(self._forks)):
                self._hear(self._forks[pipe])

    def _start(self) -> None:
        base: Path = self._session.config._tmp_path_factory.getbasetemp()
        fork = _Fork(self._session, base / f"process-{self._started}", list(self._forks))
        self._started += 1
        self._forks[fork.pipe] = fork

    def _hear(self, fork: _Fork) -> None:
        config = self._session.config
        try:
            word, told = fork.pipe.recv()
        except _PARTED:
            self._bury(fork)
            return
        if word == "more":
            fork.give(self._batches.popleft() if self._batches else ())
        elif word == "report":
            report = config.hook.pytest_report_from_serializable(config=config, data=told)
            config.hook.pytest_runtest_logreport(report=report)
        elif word == "warning":
            config.hook.pytest_warning_recorded.call_historic(kwargs=told)
        else:
            assert (word, told) == ("ended", fork.left.popleft())

    def _bury(self, fork: _Fork) -> None:
        del self._forks[fork.pipe]
        fork.pipe.close()
        fork.process.join()
        if fork.left:
            item = self._session.items[fork.left.popleft()]
            self._fail(item.nodeid, item.location, fork)
            self._batches.appendleft(tuple(fork.left))
            self._start()
        elif fork.process.exitcode:
            self._fail("a process that runs tests", ("", None, ""), fork)

    def _fail(self, name: str, location: tuple[str, int | None, str], fork: _Fork) -> None:
        words = f"its process ended with {fork.process.exitcode}"
        report = pytest.TestReport(name, location, {}, "failed", words, "call")
        self._session.config.hook.pytest_runtest_logreport(report=report)


class _Silent(TerminalReporter):
    """What plug-ins look for in every process. The parent alone has a terminal."""

    def pytest_runtest_logstart(self, nodeid: str, location: object) -> None:
        pass

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        pass

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        pass

    def pytest_warning_recorded(self, warning_message: warnings.WarningMessage, nodeid: str) -> None:
        pass


class _Teller:
    """Tells the parent what comes of the tests of this process."""

    def __init__(self, config: pytest.Config, pipe: Connection) -> None:
        self._config, self._pipe = config, pipe

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        data = self._config.hook.pytest_report_to_serializable(config=self._config, report=report)
        self._pipe.send(("report", data))

    def pytest_warning_recorded(
        self, warning_message: warnings.WarningMessage, when: str, nodeid: str, location: Any
    ) -> None:
        if when == "runtest":  # of collecting, the parent knows
            text, place = str(warning_message.message), (warning_message.filename, warning_message.lineno)
            bare = warnings.WarningMessage(UserWarning(text), UserWarning, *place)
            told = {"warning_message": bare, "when": when, "nodeid": nodeid, "location": location}
            self._pipe.send(("warning", told))


def _live(session: pytest.Session, folder: Path, pipe: Connection, others: Sequence[Connection]) -> None:
    """The life of a process that runs tests."""
    for other in others:  # else nobody would notice that the parent is gone
        other.close()
    _part_from_parent(session.config, folder)
    session.config.pluginmanager.register(_Teller(session.config, pipe))
    try:
        with contextlib.suppress(*_PARTED):
            for at, following in _with_next(_handed(pipe)):
                item = session.items[at]
                nextitem = None if following is None else session.items[following]
                item.ihook.pytest_runtest_protocol(item=item, nextitem=nextitem)
                pipe.send(("ended", at))
    finally:
        session._setupstate.teardown_exact(None)


def _part_from_parent(config: pytest.Config, folder: Path) -> None:
    """Give this process for itself what a fork shares: the folder, what takes the output, the terminal."""
    config.stash[IS_ONE_OF_MANY] = True
    folder.mkdir(mode=0o700)
    config._tmp_path_factory._basetemp = folder
    capture = config.pluginmanager.getplugin("capturemanager")
    capture.stop_global_capturing()
    capture.start_global_capturing()
    capture.suspend_global_capture()
    nowhere = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - as long as the process lives
    config.pluginmanager.unregister(name="terminalreporter")
    config.pluginmanager.register(_Silent(config, nowhere), "terminalreporter")


def _handed(pipe: Connection) -> Iterator[int]:
    """What the parent hands over, each batch when the one before is used up."""
    while True:
        pipe.send(("more", None))
        batch = pipe.recv()
        if not batch:
            return
        yield from batch


def _with_next(numbers: Iterator[int]) -> Iterator[tuple[int, int | None]]:
    at = next(numbers, None)
    while at is not None:
        following = next(numbers, None)
        yield at, following
        at = following
