"""Several processes run what one has collected, and what becomes of each test is told as if one had run it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHARED = """
import os, pathlib, time, warnings
import pytest

COLLECTED_IN = os.getpid()

@pytest.fixture(scope="session", autouse=True)
def part(tmp_path_factory):
    assert os.getpid() != COLLECTED_IN and os.getppid() == COLLECTED_IN
    yield
    (tmp_path_factory.getbasetemp().parent / f"ended-{os.getpid()}").touch()
"""
SEVERAL = """
@pytest.mark.parametrize("number", range(70))
def test_good(number, tmp_path):
    print("a word")
"""
ODD = """
def test_bad():
    print("what it said")
    assert 1 == 2

def test_warns():
    warnings.warn("beware")

@pytest.mark.skip(reason="not here")
def test_skipped(): ...

@pytest.fixture
def breaks():
    yield
    raise ValueError("at its end")

def test_breaks_later(breaks): ...
"""
DIES = """
def test_before(): ...

def test_dies():
    os._exit(7)

def test_ends_quietly():
    os._exit(0)

def test_after(): ...
"""


@pytest.fixture
def run(tmp_path):
    def run(files, *options):
        for name, text in files.items():
            (tmp_path / f"test_{name}.py").write_text(SHARED + text)
        (tmp_path / "pytest.ini").write_text("[pytest]")
        words = ["-p", "no:cacheprovider", "-p", "tests.forks", "-c", tmp_path / "pytest.ini"]
        ended = subprocess.run(
            [sys.executable, "-m", "pytest", *words, "--basetemp", tmp_path / "base", *options, tmp_path],
            env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        print(ended.stdout, ended.stderr)
        return ended.returncode, ended.stdout

    return run


def counts(said):
    return {word: int(count) for count, word in re.findall(r"(\d+) (\w+)", said.splitlines()[-1])}


@pytest.mark.parametrize("processes", [1, 3])
def test_all_tests_run_once_each_and_what_they_share_is_ended(run, tmp_path, processes):
    code, said = run({"one": SEVERAL, "two": SEVERAL}, "--forks", str(processes), "-q")
    assert (code, counts(said)["passed"]) == (0, 140)
    assert "a word" not in said
    assert len([*(tmp_path / "base").glob("ended-*")]) == processes


def test_what_becomes_of_each_is_told(run):
    code, said = run({"odd": ODD, "several": SEVERAL}, "--forks", "2", "-rs")
    assert code == 1
    assert counts(said).items() >= {"failed": 1, "passed": 72, "skipped": 1, "warning": 1, "error": 1}.items()
    for words in ("assert 1 == 2", "what it said", "beware", "not here", "at its end"):
        assert words in said


def test_a_test_whose_process_dies_has_failed_and_the_others_run(run):
    code, said = run({"dies": DIES, "several": SEVERAL}, "--forks", "2")
    assert (code, counts(said)["failed"], counts(said)["passed"]) == (1, 2, 72)
    assert "its process ended with 7" in said
    assert "its process ended with 0" in said


def test_it_stops_where_it_is_told_to(run, tmp_path):
    code, said = run({"odd": ODD, "several": SEVERAL}, "--forks", "1", "-x")
    assert (code, counts(said)["failed"]) == (1, 1)
    assert "stopping after 1 failures" in said
    assert len([*(tmp_path / "base").glob("ended-*")]) == 1


def test_a_file_that_cannot_be_imported_is_told(run):
    code, said = run({"broken": "import nothing_of_this_name"}, "--forks", "2")
    assert code == 2
    assert "nothing_of_this_name" in said
