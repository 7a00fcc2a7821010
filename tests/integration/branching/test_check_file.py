"""The gate as one file: git and the standard library, no environment, no installed package."""

import ast
import io
import json
import subprocess
import sys
import zipfile

import pytest

from genpulse.branching.files.check_file import packed
from tests.integration.branching.clones import ENVIRONMENT
from tests.integration.branching.compiled_gate import unpacked


@pytest.fixture(scope="session")
def gate(tmp_path_factory):
    file = tmp_path_factory.mktemp("gate") / "flow.pyz"
    file.write_bytes(packed("9.8.7"))
    return file


@pytest.fixture(scope="session")
def compiled(tmp_path_factory):
    """The same, for what is not about the file itself."""
    return unpacked(packed("9.8.7"), tmp_path_factory.mktemp("gate"))


def run(gate, folder, *arguments, **environment):
    """Isolated, without site packages, and with nothing in its environment but what is said."""
    return subprocess.run(
        [sys.executable, "-I", "-S", str(gate), *arguments],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_same_version_is_the_same_bytes():
    assert packed("1.0.0") == packed("1.0.0")
    assert packed("1.0.0") != packed("1.0.1")


def test_it_imports_the_standard_library_and_itself_alone():
    archive = zipfile.ZipFile(io.BytesIO(packed("1.0.0")))
    names = archive.namelist()
    for name in names:
        for node in ast.walk(ast.parse(archive.read(name))):
            modules = (
                [each.name for each in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            for module in modules:
                top = module.partition(".")[0]
                assert top in sys.stdlib_module_names or top == "genpulse", f"{name} imports {module}"
    assert {name.split("/")[1] for name in names if "/" in name} <= {
        "__init__.py",
        "branching",
        "domain",
        "environment",
    }
    assert {name for name in names if "/domain/" in name} == {
        "genpulse/domain/__init__.py",
        "genpulse/domain/text/__init__.py",
        "genpulse/domain/text/storable.py",
    }


def test_it_says_which_version_it_is(gate, tmp_path):
    assert run(gate, tmp_path, "--version").stdout == "genpulse flow 9.8.7\n"


def test_an_old_python_is_told_at_once(gate):
    source = zipfile.ZipFile(gate).read("__main__.py").decode()
    before, _, _ = source.partition("from genpulse")
    old = before.replace(
        "import sys\n", "import sys, types\nsys = types.SimpleNamespace(version_info=(3, 8, 1), exit=sys.exit)\n"
    )
    done = subprocess.run([sys.executable, "-c", old], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "flow: Python 3.11 or newer is needed, and this is 3.8.\n")


def test_the_gate_answers_as_the_command_does(compiled, clone):
    clone.topic("feature/x", "x.txt")
    clone.git("fetch", "-q", "origin")
    good = run(compiled, clone.folder, "check", "--head", "feature/x", "--base", "dev", "--trunk", "dev")
    assert (good.returncode, good.stdout) == (0, "feature/x may be merged into dev: feature/* merges into dev.\n")
    bad = run(compiled, clone.folder, "check", "--head", "feature/x", "--base", "main", "--json")
    assert bad.returncode == 1
    assert [refusal["code"] for refusal in json.loads(bad.stdout)["refusals"]] == ["base_wrong"]
    shown = run(compiled, clone.folder, "check", "--head", "dev", "--base", "main", GITHUB_ACTIONS="true")
    assert (shown.returncode, shown.stdout.startswith("::error title=genpulse flow::main only")) == (1, True)


def test_the_history_is_looked_at(gate, tested):
    done = run(gate, tested.folder, "check", "--head", "test", "--base", "main", "--json")
    assert done.returncode == 1
    assert [refusal["code"] for refusal in json.loads(done.stdout)["refusals"]] == ["candidate_missing"]


def test_what_a_deployment_asks(compiled, done, tmp_path):
    verified = run(compiled, done.folder, "verify", "v0.1.0", "--json")
    assert json.loads(verified.stdout)["candidate"] == "v0.1.0-rc.1", verified.stderr
    assert run(compiled, done.folder, "deployable", "--ref", "v0.1.0", "--env", "main").returncode == 0
    refused = run(compiled, done.folder, "deployable", "--ref", "main", "--env", "main", "--json")
    assert refused.returncode == 1
    document = json.loads(refused.stdout)
    assert document["refusals"][0]["code"] == "production_needs_release"
    assert (document["ok"], document["reason"]) == (False, document["refusals"][0]["message"])
    taken = run(compiled, done.folder, "deployable", "--ref", "refs/tags/v0.1.0", "--env", "main", "--json")
    assert taken.returncode == 0, taken.stderr
    said = json.loads(taken.stdout)
    assert (said["environment"], said["ok"], said["reason"]) == ("main", True, None)
    stamped = run(compiled, done.folder, "stamp", "--output", str(tmp_path / "build.json"))
    assert stamped.returncode == 0, stamped.stderr
    assert json.loads((tmp_path / "build.json").read_text())["tag"] == "v0.1.0"


def test_wrong_usage(compiled, tmp_path):
    for arguments in ([], ["nonsense"], ["check"], ["check", "--head", "x"], ["deployable", "--ref", "x"]):
        told = run(compiled, tmp_path, *arguments, "--json")
        assert told.returncode == 2, arguments
        (refusal,) = json.loads(told.stdout)["refusals"]
        assert refusal["code"] == "usage_wrong"
        assert refusal["found"] in told.stderr


def test_no_repository_is_a_refusal(gate, tmp_path):
    done = run(gate, tmp_path, "verify", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["refusals"][0]["code"] == "no_repository"


def test_letters_that_the_terminal_does_not_have(compiled, clone):
    done = run(
        compiled,
        clone.folder,
        "check",
        "--head",
        "hotfix/ü",
        "--base",
        "dev",
        PYTHONIOENCODING="ascii",
        LC_ALL="C",
    )
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)


def test_names_alone_need_no_repository(compiled, tmp_path):
    assert run(compiled, tmp_path, "check", "--names-only", "--head", "feature/x").returncode == 0
    done = run(compiled, tmp_path, "check", "--names-only", "--head", "hotfix/x", PATH=ENVIRONMENT["PATH"])
    assert (done.returncode, "hotfix/… is not a branch type here" in done.stderr) == (1, True)
