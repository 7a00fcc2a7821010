"""The example package: built as a wheel, installed, found, tested by its own tests, and used over HTTP."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

from genpulse.dev.processes.ports import free_port

EXAMPLE = Path(__file__).parents[2] / "examples/genpulse-provider-hello"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The unpacked wheel; GenPulse itself comes from the environment of the tests."""
    folder = tmp_path_factory.mktemp("hello")
    source = folder / "source"
    shutil.copytree(EXAMPLE, source, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    (built,) = WheelBuilder(str(source)).build(directory=str(folder), versions=["standard"])
    with zipfile.ZipFile(built) as wheel:
        wheel.extractall(folder / "site")
    return folder / "site"


@contextlib.contextmanager
def vendor_running():
    """The port of a vendor that listens; on another one where somebody else was faster on the first."""
    for _ in range(3):
        port = free_port()
        vendor = subprocess.Popen([sys.executable, str(EXAMPLE / "tests/vendor.py"), str(port)])
        try:
            if listens(vendor, port):
                yield port
                return
        finally:
            vendor.terminate()
            vendor.wait()
    raise AssertionError("the vendor never listened")


def listens(vendor, port):
    """Whether it does so within a minute, as long as it has not ended."""
    ends_at = time.monotonic() + 60
    while vendor.poll() is None and time.monotonic() < ends_at:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return vendor.poll() is None
        time.sleep(0.05)
    return False


@pytest.fixture
def run(site, tmp_path):
    def run(*arguments, **environment):
        return subprocess.run(
            [sys.executable, "-P", *arguments],
            cwd=tmp_path,
            env={"PATH": os.defpath, "PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1", **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.mark.timeout(900)
def test_its_own_tests_pass_every_check_of_the_kit(run):
    words = ("-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", "-c", str(EXAMPLE / "pyproject.toml"))
    done = run(*words, "--rootdir", str(EXAMPLE), str(EXAMPLE / "tests"))
    assert done.returncode == 0, done.stdout + done.stderr
    skipped = [line for line in done.stdout.splitlines() if line.startswith("SKIPPED")]
    assert all("there is no occasion for it" in line for line in skipped)
    assert len(skipped) < 10


def test_genpulse_finds_it_and_asks_its_vendor(run):
    assert "hello/greeting" in run("-m", "genpulse", "models", GENPULSE_API__PORT="9").stdout
    with vendor_running() as port:
        account = {
            "GENPULSE_PROVIDERS__HELLO__BASE_URL": f"http://127.0.0.1:{port}",
            "GENPULSE_PROVIDERS__HELLO__API_KEY": "key-of-the-account",
        }
        done = run("-m", "genpulse", "providers", "test", "hello", "--yes", **account)
        assert done.stdout == "hello: the account is hello@example.com\n", done.stderr
        wrong = {**account, "GENPULSE_PROVIDERS__HELLO__API_KEY": "wrong"}
        refused = run("-m", "genpulse", "providers", "test", "hello", "--yes", **wrong)
        assert refused.returncode != 0
        assert "Set GENPULSE_PROVIDERS__HELLO__API_KEY" in refused.stderr
