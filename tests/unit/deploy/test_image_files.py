"""What the image is made of: pins that the tests have seen, bases by digest, and every file that git knows."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
PIN = re.compile(r"^([\w.-]+)==(\S+)", re.MULTILINE)


def pins(name):
    return dict(PIN.findall((ROOT / name).read_text()))


def test_a_server_has_the_versions_that_the_tests_have_seen():
    of_image, all_of_them = pins("deploy/image/requirements.lock"), pins("requirements.lock")
    assert of_image.items() <= all_of_them.items()
    assert {"asyncpg", "pillow", "uvicorn"} <= of_image.keys()
    assert of_image.keys().isdisjoint({"pytest", "mypy", "ruff", "hatchling", "numpy"})


@pytest.mark.parametrize(
    "name", ["deploy/image/requirements.lock", "deploy/image/build.lock", "deploy/requirements.lock"]
)
def test_each_pin_has_its_hashes_and_no_lock_names_an_index(name):
    text = (ROOT / name).read_text()
    assert all("--hash=sha256:" in block for block in re.split(r"^(?=[\w.-]+==)", text, flags=re.MULTILINE)[1:])
    assert "://" not in text


def test_each_base_is_pinned_by_a_digest_that_whoever_builds_has_to_name():
    assert re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE) == [
        "python:3.12-bookworm@${BUILD_DIGEST}",
        "python:3.12-slim-bookworm@${RUNTIME_DIGEST}",
    ]
    assert re.findall(r"^ARG (\w+_DIGEST)$", DOCKERFILE, re.MULTILINE) == ["BUILD_DIGEST", "RUNTIME_DIGEST"]


def test_it_runs_as_a_user_who_may_do_nothing():
    last = DOCKERFILE.rpartition("\nFROM ")[2]
    assert re.search(r"^USER 10001:10001$", last, re.MULTILINE)
    assert re.search(r"^HEALTHCHECK ", last, re.MULTILINE)


def test_the_context_leaves_out_nothing_that_git_knows():
    """A file that is missing would make the stamp of the image one "with changes besides"."""
    words = ("git", "ls-files", "--cached", "--ignored", "--exclude-from=.dockerignore")
    listed = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    assert listed.stdout == ""
    ignored = set((ROOT / ".dockerignore").read_text().splitlines())
    assert not {".git", ".git/", ".github", "*"} & ignored
    assert {".env", "production.env", ".venv/"} <= ignored
