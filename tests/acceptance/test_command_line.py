"""The command line, as a person and as a program use it."""

import json
import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from genpulse.dev.processes.ports import free_port
from tests import command

VERBS = (
    "demo",
    "dev",
    "generate",
    "tasks",
    "batches",
    "listen",
    "models",
    "providers",
    "api",
    "worker",
    "db",
    "flow",
    "config",
    "env",
    "doctor",
)


def genpulse(*arguments: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    plain = {"PATH": os.defpath, "GENPULSE_API__PORT": str(free_port())}
    return command.run(*arguments, folder=folder, environment=plain | environment)


@contextmanager
def running_command(*arguments: str, folder: Path) -> Iterator[command.Command]:
    running = command.start(*arguments, folder=folder, environment={"PATH": os.defpath})
    try:
        yield running
    finally:
        running.terminate()
        running.communicate()


def test_help_shows_every_verb_and_needs_no_configuration(tmp_path):
    done = genpulse("--help", folder=tmp_path, ENV="nonsense")
    assert done.returncode == 0
    for verb in VERBS:
        assert f"\n  {verb} " in done.stdout


@pytest.mark.parametrize("verb", VERBS)
def test_the_help_of_a_verb_fits_a_screen(tmp_path, verb):
    done = genpulse(verb, "--help", folder=tmp_path)
    assert done.returncode == 0
    assert 4 <= len(done.stdout.splitlines()) <= 40


def test_help_imports_nothing_heavy(tmp_path):
    script = (
        "import contextlib, sys; sys.argv = ['genpulse', '--help']; from genpulse.__main__ import main\n"
        "with contextlib.suppress(SystemExit): main()\nprint('MODULES', *sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    modules = set(done.stdout.rpartition("MODULES")[2].split())
    assert not modules & {
        "dynaconf",
        "pydantic",
        "fastapi",
        "aiohttp",
        "sqlalchemy",
        "asyncpg",
        "numpy",
        "rich",
        "uvicorn",
    }


def test_the_version_is_told(tmp_path):
    assert genpulse("--version", folder=tmp_path).stdout.startswith("genpulse 0.")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("modles",), "Did you mean models?"),
        (("tasks", "list", "--status", "nope"), "'nope' is not one of"),
        (("dev", "--port", "70000"), "range"),
        (("tasks", "show"), "Missing argument"),
    ],
)
def test_misuse_is_two(tmp_path, arguments, said):
    done = genpulse(*arguments, folder=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("arguments", [("tasks", "list"), ("generate", "x"), ("tasks", "watch", "x")])
def test_an_api_that_does_not_answer_is_one_and_says_what_to_do(tmp_path, arguments):
    done = genpulse(*arguments, folder=tmp_path)
    assert done.returncode == 1
    assert "Start it with `genpulse dev`" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("verb", [("api",), ("worker",), ("db", "upgrade"), ("config", "check")])
def test_a_bad_configuration_is_seventy_eight(tmp_path, verb):
    done = genpulse(*verb, folder=tmp_path)
    assert done.returncode == 78
    assert "GENPULSE_DATABASE_URL" in done.stderr


@pytest.mark.parametrize("verb", [("api",), ("worker",)])
def test_a_route_that_leads_nowhere_is_seventy_eight_before_a_server_is_asked(tmp_path, verb):
    environment = {
        "GENPULSE_DATABASE_URL": f"postgresql://u@127.0.0.1:{free_port()}/d",
        "GENPULSE_REDIS__URL": f"redis://127.0.0.1:{free_port()}",
        "GENPULSE_ROUTES__FOX__KIND": "text-to-image",
        "GENPULSE_ROUTES__FOX__TRY": "sandbox/imag",
    }
    done = genpulse(*verb, folder=tmp_path, **environment)
    assert (done.returncode, "routes.fox.try: There is no model 'sandbox/imag'" in done.stderr) == (78, True)
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("name", "words"),
    [("nope", "There is no provider 'nope'; there is "), ("sandbox", "Nobody can be asked here whether sandbox")],
)
def test_a_provider_is_not_tried_where_it_is_none_or_nobody_agrees(tmp_path, name, words):
    done = genpulse("providers", "test", name, folder=tmp_path)
    assert (done.returncode, words in done.stderr) == (1, True)


def away():
    """Servers that do not answer."""
    return {
        "GENPULSE_DATABASE_URL": f"postgresql://u@127.0.0.1:{free_port()}/d",
        "GENPULSE_REDIS__URL": f"redis://127.0.0.1:{free_port()}",
    }


def test_an_api_whose_port_is_taken_says_by_whom_and_which_one_is_free(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        done = genpulse("api", "--port", str(port), folder=tmp_path, **away())
    assert done.returncode == 1
    assert f"Port {port} is taken by " in done.stderr
    assert f"(pid {os.getpid()}). Stop it, or choose another: genpulse api --port " in done.stderr
    assert "Traceback" not in done.stderr


def test_an_api_that_is_to_listen_elsewhere_says_where_that_is_set(tmp_path):
    done = genpulse("api", "--host", "300.1.1.1", folder=tmp_path, **away())
    assert (done.returncode, "Nothing can listen at 300.1.1.1" in done.stderr) == (1, True)
    assert "by --host or api.host" in done.stderr


def test_an_api_without_a_storage_folder_says_so_in_one_line(tmp_path):
    (tmp_path / "file").touch()
    where = {"GENPULSE_STORAGE__URL": (tmp_path / "file" / "folder").as_uri()}
    done = genpulse("api", "--port", str(free_port()), folder=tmp_path, **away(), **where)
    assert done.returncode == 1
    assert f"open the storage folder {tmp_path}/file/folder of storage.url" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("verb", [("doctor",), ("tasks", "list"), ("flow", "status"), ("env", "show")])
def test_a_folder_that_is_gone_is_told(tmp_path, verb):
    script = f"mkdir gone && cd gone && rmdir ../gone && {sys.executable} -m genpulse {' '.join(verb)}"
    done = subprocess.run(script, shell=True, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("genpulse: The folder in which this was typed is gone")


def test_a_provider_with_a_typo_in_its_name_is_told(tmp_path):
    servers = {
        "GENPULSE_DATABASE_URL": "postgresql://127.0.0.1/d",
        "GENPULSE_REDIS__URL": "redis://127.0.0.1",
        "GENPULSE_PROVIDERS__OPENNAI__API_KEY": "s3cret",
    }
    done = genpulse("config", "check", folder=tmp_path, **servers)
    assert (done.returncode, done.stdout) == (0, "The configuration of development is in order.\n")
    assert "Did you mean providers.openai?" in done.stderr
    assert "s3cret" not in done.stderr


@pytest.mark.parametrize("verb", [("doctor",), ("models",), ("env", "show"), ("demo",)])
def test_a_wrong_environment_is_seventy_eight_or_a_finding(tmp_path, verb):
    done = genpulse(*verb, folder=tmp_path, ENV="prod")
    assert done.returncode == (1 if verb == ("doctor",) else 78)
    assert "ENV='prod'" in done.stdout + done.stderr


def test_a_database_that_is_away_is_one(tmp_path):
    url = f"postgresql://u:s3cret@127.0.0.1:{free_port()}/d"
    done = genpulse("db", "upgrade", folder=tmp_path, GENPULSE_DATABASE_URL=url)
    assert done.returncode == 1
    assert "Nothing listens where GENPULSE_DATABASE_URL names PostgreSQL" in done.stderr
    assert "s3cret" not in done.stderr


def test_the_row_of_the_environments_table(tmp_path):
    done = genpulse("env", "show", "--json", folder=tmp_path, ENV="test")
    assert json.loads(done.stdout) == {
        "name": "test",
        "dynaconf": "testing",
        "branch": "test",
        "key_prefix": "test:",
        "db_mode": "shared",
        "services": "dedicated-service",
        "target": "Testing / QA",
        "build": None,
        "decided_by": "ENV in the process environment",
    }


def test_secrets_are_not_shown(tmp_path):
    done = genpulse("config", "show", folder=tmp_path, GENPULSE_PROVIDERS__KLING__API_KEY="hunter2")
    assert done.returncode == 0
    assert "providers.kling.api_key = ********" in done.stdout


def test_models_are_listed_without_an_api(tmp_path):
    done = genpulse("models", "--json", folder=tmp_path)
    assert done.returncode == 0
    assert {"sandbox/image", "sandbox/noop"} <= {model["id"] for model in json.loads(done.stdout)}
    assert "No API answers" in done.stderr


def test_a_model_that_is_not_listed_is_shown_as_it_is_known_here(tmp_path):
    done = genpulse("models", "replicate/owner/name", "--json", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["id"] == "replicate/owner/name"
    done = genpulse("models", "sandbox/imag", folder=tmp_path)
    assert done.returncode == 1
    assert "Did you mean sandbox/image" in done.stderr


def test_doctor_works_with_nothing_running(tmp_path):
    done = genpulse("doctor", "--json", folder=tmp_path)
    findings = {finding["name"]: finding for finding in json.loads(done.stdout)}
    assert done.returncode == 0, done.stdout
    assert findings["servers"]["detail"].startswith("none runs")
    assert "sandbox" in findings["providers"]["detail"]
    assert "replicate (costs money, refused)" in findings["providers"]["detail"]


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_disk_is_told_in_words(tmp_path, unbuffered):
    line = f"{sys.executable} -m genpulse config show > /dev/full"
    variables = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    done = subprocess.run(
        line, shell=True, cwd=tmp_path, env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr == "genpulse: What was to be written could not be: No space left on device.\n"


def test_a_pipe_that_closes_is_no_error(tmp_path):
    line = f"{sys.executable} -m genpulse config show | head -1"
    done = subprocess.run(line, shell=True, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stderr == ""


@pytest.mark.parametrize("variable", [{"PYTHONIOENCODING": "ascii"}, {"PYTHONCOERCECLOCALE": "0"}], ids=str)
def test_a_terminal_that_knows_ascii_alone_gets_an_answer(tmp_path, variable):
    terminal = {"LC_ALL": "C", "PYTHONUTF8": "0", **variable}
    done = subprocess.run(
        [sys.executable, "-m", "genpulse", "doctor"],
        cwd=tmp_path,
        env={"PATH": os.defpath, "GENPULSE_API__PORT": str(free_port()), **terminal},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "UnicodeEncodeError" not in done.stderr
    assert "? servers" in done.stdout


def test_what_a_stranger_sends_is_shown_without_what_moves_a_terminal(tmp_path):
    with running_command("listen", folder=tmp_path) as listening:
        url = listening.stderr.readline().rpartition(" at ")[2].strip()
        message = {"type": "\x1b[2J[red]gone[/]", "data": {"id": "\x1b]0;owned\x07", "model": "m\nforged line"}}
        asked = urllib.request.Request(url, json.dumps(message).encode(), {"webhook-id": "msg_1"})
        with urllib.request.urlopen(asked) as answer:
            assert answer.status == 204
        line = listening.stdout.readline()
    assert "\x1b" not in line
    assert "[red]gone[/]" in line
    assert "forged line  msg_1  signature unchecked" in line
