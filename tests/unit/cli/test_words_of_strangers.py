"""Whatever somebody else has written, no command sends it to a terminal as it is."""

import ast
import io
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genpulse.branching.errors import Refusal
from genpulse.cli.app import genpulse
from genpulse.cli.errors import CommandRefused, exit_code_of
from genpulse.cli.flow import options
from genpulse.cli.output.console import console
from genpulse.cli.output.progress import Bars
from genpulse.dev.terminal.log_view import StackConsole
from genpulse.domain.text.storable import showable, showable_line
from genpulse_client import ApiRefused, Event

CLI = Path(options.__file__).parent
ATTACKS = (
    *(
        "\x1b[2J",
        "\x1b]0;title\x07",
        "\x1bc",
        "\x1b(0",
        "\x9b2J",
        "\x9d0;t\x9c",
        "\x08\x08",
        "\x7f",
        "\x00",
        "\x0e",
    ),
    *("\u202egnp.exe", "\u2066", "\u2067", "\u2069", "\u200f", "\u061c", "\rOK all is well", "\x0b\x0c", "\x85"),
    *("\u2028", "\ud83d"),
)
TEXT = f"words {' '.join(ATTACKS)} more"
FORGED = "line\nOK    all is well"
TASK = {
    "id": "0193a1b2-c3d4-7e5f-8a9b-000000000001",
    "model": f"art/easel{TEXT}",
    "kind": TEXT,
    "status": "failed",
    "progress": 0.5,
    "attempt": 1,
    "created_at": "2030-01-31T12:00:00Z",
    "finished_at": None,
    "input": {"prompt": TEXT},
    "metadata": {},
    "outputs": [],
    "error": {"code": f"invalid{TEXT}", "message": TEXT + FORGED, "charged": TEXT},
    "warnings": [{"code": TEXT, "message": TEXT + FORGED, "index": 0}],
}
WAITING = {
    **TASK,
    "status": "running",
    "waiting_for": {"what": TEXT, "since": "2030-01-31T12:00:00Z"},
    "last_error": {"code": "x", "message": TEXT + FORGED, "charged": "no"},
    "cancel_requested_at": "2030-01-31T12:00:00Z",
}
MODEL = {
    "id": f"art/{TEXT}",
    "title": TEXT,
    "description": TEXT + FORGED,
    "kinds": [TEXT],
    "input_schema": {"properties": {f"prompt{TEXT}": {"title": TEXT, "description": TEXT, "enum": [TEXT]}}},
}
PROVIDER = {
    "name": TEXT,
    "title": TEXT,
    "configured": True,
    "models": [f"x/{TEXT}"],
    "limits": {"rate": TEXT},
    "circuit": {"state": TEXT, "failures": 2, "reason": TEXT + FORGED},
}
EVENTS = (
    *("event: progress", "id: 1", f"data: {json.dumps({'progress': 0.3, 'message': TEXT + FORGED})}", ""),
    *(
        "event: task",
        "id: 2",
        f"data: {json.dumps(WAITING)}",
        "",
        "event: task",
        "id: 3",
        f"data: {json.dumps(TASK)}",
    ),
    *("", ""),
)
ANSWERS = {
    "/v1/models": {"data": [MODEL]},
    "/v1/models/art/easel": {**MODEL, "input_schema": {"additionalProperties": True}},
    "/v1/providers": {"data": [PROVIDER]},
    "/v1/tasks": {"data": [TASK, WAITING], "next_cursor": None},
}


class Stranger(BaseHTTPRequestHandler):
    """An API all of whose words are an attack."""

    def do_GET(self):
        path = self.path.partition("?")[0]
        if path.endswith("/events"):
            self.answer(200, "\n".join(EVENTS), "text/event-stream")
        elif path == f"/v1/tasks/{TASK['id']}":
            self.answer(200, json.dumps(WAITING))
        elif path in ANSWERS:
            self.answer(200, json.dumps(ANSWERS[path]))
        else:
            problem = {
                "detail": TEXT + FORGED,
                "code": TEXT,
                "errors": [{"pointer": TEXT, "detail": TEXT + FORGED}],
            }
            self.answer(404, json.dumps(problem))

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.answer(200, json.dumps(WAITING))

    def answer(self, status, text, kind="application/json"):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def stranger():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Stranger)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def calm(text):
    """What is shown, once it is known that nothing in it moves a terminal."""
    assert showable(text) == text, repr(text)
    return text


@pytest.mark.parametrize(
    "arguments",
    [
        ("tasks", "list"),
        ("tasks", "list", "--failed"),
        ("tasks", "show", TASK["id"]),
        ("tasks", "show", "0193a1b2-c3d4-7e5f-8a9b-0000000000ff"),
        ("tasks", "watch", TASK["id"]),
        ("tasks", "cancel", TASK["id"]),
        ("tasks", "retry", TASK["id"]),
        ("tasks", "retry", "--all", "--yes"),
        ("models",),
        ("models", f"art/{TEXT}"),
        ("providers",),
        ("generate", "a fox", "--model", "art/easel"),
        ("generate", "a fox", "--model", "art/nothing"),
        ("tasks", "list", "--status", TEXT),
        (TEXT,),
        ("config", "explain", TEXT),
    ],
    ids=lambda arguments: " ".join(arguments[:3]).split("words")[0].strip() or "odd",
)
def test_a_command(stranger, tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    api = ["--api", stranger] if arguments[0] in {"tasks", "models", "providers", "generate"} else []
    result = CliRunner().invoke(genpulse, [*arguments, *api], env={"ENV": "dev"}, standalone_mode=False)
    shown = result.stdout + result.stderr
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        shown += told(result.exception)
    assert shown
    calm(shown)
    assert not any(line.startswith(("OK", "\tOK")) for line in shown.splitlines())


def test_a_model_that_the_api_does_not_list(stranger, tmp_path, monkeypatch):
    """The API may run without a plug-in that is installed here."""
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(genpulse, ["models", "sandbox/noop", "--api", stranger], env={"ENV": "dev"})
    assert result.exit_code == 0
    assert "sandbox/noop is not listed" in result.stderr
    assert "delay_s" in result.stdout


def told(error):
    """What is said of an error on standard error."""

    @click.command()
    @click.pass_context
    def telling(ctx):
        ctx.exit(exit_code_of(error, debug=False))

    return CliRunner().invoke(telling).stderr


@pytest.mark.parametrize(
    "error",
    [
        ApiRefused(TEXT + FORGED, code="x", status=400, problems=((TEXT, TEXT + FORGED),)),
        CommandRefused(TEXT + FORGED),
        click.UsageError(TEXT),
        click.ClickException(TEXT),
        RuntimeError(TEXT + FORGED),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error(error):
    said = calm(told(error))
    assert "words" in said
    assert not any(line.startswith("OK") for line in said.splitlines())


def test_a_refusal_of_the_flow():
    @click.command()
    def refusing():
        options.report(Refusal("lane_stray", f"A rule. {TEXT}", TEXT + FORGED, (f"git log {TEXT}",), TEXT))

    said = calm(CliRunner().invoke(refusing).stderr)
    assert not any(line.startswith("OK") for line in said.splitlines())


def test_bars(monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    drawn = io.StringIO()
    with Bars(console(file=drawn, width=100)) as bars:
        bars.follow(f"label {TEXT}")(Event("1", None, 0.5, TEXT))
    assert "\x1b[" in drawn.getvalue()  # it is a terminal, with codes of its own
    assert not [attack for attack in ATTACKS if attack in drawn.getvalue()]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=st.text() | st.sampled_from([TEXT, FORGED]))
def test_any_text_on_a_console(text):
    out = io.StringIO()
    console(file=out, width=40).print(text, markup=False)
    calm(out.getvalue())


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=st.text(st.characters()) | st.sampled_from([TEXT, FORGED]))
def test_any_text(text):
    assert showable(showable(text)) == showable(text)
    assert "\n" not in showable_line(text)
    calm(showable_line(text))
    if text.isascii() and text.isprintable():
        assert showable(text) == text


def test_lines_of_the_stack(tmp_path):
    shown = io.StringIO()
    hear = StackConsole(tmp_path, console(file=shown, width=100))
    hear("api", f"\x1b[32mINFO\x1b[0m {TEXT}")
    hear.close()
    assert calm(shown.getvalue()).startswith("api      INFO words")
    calm((tmp_path / "api.log").read_text())


def test_there_is_no_other_way_to_the_terminal():
    """A command that writes past `terminal.say` and `console.console` would be one that nobody has looked at."""
    found = []
    for path in sorted(CLI.rglob("*.py")):
        if path.name in {"terminal.py", "console.py"}:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                if called in WAYS or (called.endswith(".write") and "std" in called and "buffer" not in called):
                    found.append(f"{path.name}:{node.lineno} {called}")
    assert not found


WAYS = {
    "print",
    "Console",
    "click.echo",
    "click.secho",
    "click.style",
    "click.confirm",
    "traceback.print_exception",
}
