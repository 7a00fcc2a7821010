"""Where outputs go: looked at before anything is submitted, and told with the task where writing fails later."""

import hashlib
import json
import os
import stat
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner

from genpulse.cli.app import genpulse
from genpulse.cli.errors import CommandRefused
from genpulse.cli.output.destination import destination

BYTES = b"\x89PNG of a fox" * 10_000
ID = "0193a1b2-c3d4-7e5f-8a9b-000000000001"
OTHER = "0193a1b2-c3d4-7e5f-9000-000000000002"


def output(number, content=BYTES):
    return {
        "id": f"asset-{number}",
        "url": "",
        "media_type": "image/png",
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "width": 1,
        "height": 1,
        "duration_s": None,
    }


class Api(BaseHTTPRequestHandler):
    """Makes as many pictures as `server.outputs` says, and counts what was submitted."""

    def do_GET(self):
        path, _, query = self.path.partition("?")
        if path.endswith("/content"):
            self.answer(BYTES if self.server.outputs else b"", "application/octet-stream")
        elif path == "/v1/tasks":
            prefix = query.partition("id_prefix=")[2].partition("&")[0]
            found = [self.task(each) for each in (OTHER, ID) if each.startswith(prefix)]
            self.answer(json.dumps({"data": found, "next_cursor": None}).encode())
        elif path.endswith("/events"):
            if self.server.breaks:
                self.send_response(503)
                self.send_header("Retry-After", "3600")  # longer than anybody waits
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            event = f"event: task\nid: 1\ndata: {json.dumps(self.task(ID))}\n\n"
            self.answer(event.encode(), "text/event-stream")
        elif path.startswith("/v1/tasks/"):
            self.answer(json.dumps(self.task(path.rpartition("/")[2])).encode())
        else:
            model = {"id": "art/easel", "kinds": ["text-to-image"], "input_schema": {"additionalProperties": True}}
            self.answer(json.dumps(model).encode())

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.submitted += 1
        self.answer(json.dumps(self.task(ID)).encode())

    def task(self, task_id):
        return {
            "id": task_id,
            "model": "art/easel",
            "kind": "text-to-image",
            "status": "succeeded",
            "progress": None,
            "outputs": [output(number) for number in range(self.server.outputs or 0)],
            "created_at": "2030-01-31T12:00:00Z",
            "finished_at": None,
            "attempt": 1,
            "input": {},
            "error": None,
        }

    def answer(self, content, kind="application/json"):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def server():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def api(server, tmp_path, monkeypatch):
    server.outputs, server.submitted, server.breaks = 1, 0, False
    monkeypatch.chdir(tmp_path)
    return server


def run(api, *arguments):
    url = f"http://127.0.0.1:{api.server_port}"
    result = CliRunner().invoke(genpulse, [*arguments, "--api", url], env={"ENV": "dev"})
    return result, str(result.exception or "") + result.stderr


def generate(api, *arguments):
    return run(api, "generate", "a fox", "--model", "art/easel", *arguments)


@pytest.fixture
def read_only(tmp_path):
    """A folder that nobody can write, root neither; on a full disk `full`, which has room for a name."""
    folders = {"read-only": ["-o", "ro,size=16k"], "full": ["-o", "size=4k"]}
    mounted = []
    try:
        for name, options in folders.items():
            (tmp_path / name).mkdir()
            command = ["mount", "-t", "tmpfs", *options, "none", str(tmp_path / name)]
            if subprocess.run(command, capture_output=True, check=False).returncode:
                pytest.skip("nothing can be mounted here")
            mounted.append(tmp_path / name)
        yield tmp_path
    finally:
        for folder in mounted:
            subprocess.run(["umount", str(folder)], check=True)


def in_a_file(folder):
    (folder / "file").write_text("not a folder")
    return "file/fox.png", "cannot be made: Not a directory|cannot be written: Not a directory|made: File exists"


def below_a_file(folder):
    (folder / "file").write_text("not a folder")
    return "file/deep/fox.png", "cannot be made: Not a directory"


def a_pipe(folder):
    os.mkfifo(folder / "pipe")
    return "pipe", "is no file and no folder"


def a_device(folder):
    return "/dev/null", "is no file and no folder"


def a_long_name(folder):
    return "x" * 240, "cannot be written: File name too long"


def a_long_folder(folder):
    return f"{'x' * 300}/fox.png", "cannot be made: File name too long"


@pytest.mark.parametrize("lay", [in_a_file, below_a_file, a_pipe, a_device, a_long_name, a_long_folder])
@pytest.mark.parametrize("command", ["generate", "tasks save"])
def test_a_place_that_cannot_be_written_is_refused_before_anything_is_paid(api, tmp_path, lay, command):
    place, words = lay(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    result, said = (
        generate(api, "-o", place) if command == "generate" else run(api, "tasks", "save", ID, "-o", place)
    )
    assert (result.exit_code, api.submitted) == (1, 0)
    assert any(each in said for each in words.split("|")), said
    assert ("Nothing was submitted." if command == "generate" else "Nothing was saved.") in said
    assert sorted(tmp_path.rglob("*")) == before
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("read-only/fox.png", "read-only/fox.png cannot be written: Read-only file system"),
        ("read-only", "The folder read-only cannot be written: Read-only file system"),
        ("read-only/deep/", "The folder read-only/deep cannot be made: Read-only file system"),
        ("full/fox.png", "full/fox.png cannot be written: No space left on device"),
    ],
)
def test_a_file_system_that_takes_nothing(api, read_only, place, words):
    result, said = generate(api, "-o", place)
    assert (result.exit_code, api.submitted) == (1, 0)
    assert words in said


@pytest.mark.parametrize(
    ("arguments", "files"),
    [
        ([], ["easel-000001.png"]),
        (["-o", "fox"], ["fox.png"]),
        (["-o", "fox.jpg"], ["fox.jpg"]),
        (["-o", "new/deep/fox.png"], ["new/deep/fox.png"]),
        (["-o", "new/"], ["new/easel-000001.png"]),
        (["-o", "there"], ["there/easel-000001.png"]),
    ],
)
@pytest.mark.parametrize("command", ["generate", "tasks save"])
def test_where_a_file_goes(api, tmp_path, arguments, files, command):
    (tmp_path / "there").mkdir()
    (tmp_path / "fox.png").write_text("an older one")
    result, said = (
        generate(api, *arguments) if command == "generate" else run(api, "tasks", "save", ID, *arguments)
    )
    assert result.exit_code == 0, said
    for file in files:
        assert (tmp_path / file).read_bytes() == BYTES
        assert f"{file}  (PNG" in result.stdout


def test_several_outputs_of_one_name_are_numbered(api, tmp_path):
    api.outputs = 3
    assert generate(api, "-o", "fox.png")[0].exit_code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fox-1.png", "fox-2.png", "fox-3.png"]


def test_standard_output(api):
    assert generate(api, "-o", "-")[0].stdout_bytes == BYTES
    assert generate(api, "-o", "-", "--json")[0].exit_code == 2
    api.outputs = 2
    result, said = generate(api, "-o", "-")
    assert (result.exit_code, result.stdout_bytes) == (1, b"")
    assert f"genpulse tasks save {ID} -o FOLDER/" in said


def test_what_fails_after_the_task_names_the_task(api, tmp_path):
    (tmp_path / "fox.png").mkdir()
    result, said = generate(api, "-o", "fox")
    assert (result.exit_code, api.submitted) == (1, 1)
    assert "fox could not be written: Is a directory." in said
    assert (
        f"Task {ID} has succeeded, and its outputs are kept. Get them: genpulse tasks save {ID} -o PLACE" in said
    )


def test_a_disk_that_fills_up_while_it_is_written(api, read_only):
    subprocess.run(["mount", "-o", "remount,size=80k", str(read_only / "full")], check=True)
    api.outputs = 2
    result, said = generate(api, "-o", "full/fox.png")
    assert (result.exit_code, api.submitted) == (1, 1)
    assert "No space left on device" in said
    assert f"genpulse tasks save {ID}" in said
    assert list((read_only / "full").iterdir()) == []


def test_an_api_that_goes_away_leaves_the_tasks_id(api):
    api.breaks = True
    result, said = generate(api)
    assert result.exit_code == 1
    assert f"Task {ID} goes on. Its outputs: genpulse tasks save {ID} -o PLACE" in said


def test_a_folder_that_stays_empty_is_removed(tmp_path):
    with destination(f"{tmp_path}/new/deep/fox.png", spared=""):
        assert (tmp_path / "new/deep").is_dir()
    assert list(tmp_path.iterdir()) == []
    with destination(f"{tmp_path}/new/deep/fox.png", spared="") as where:
        where.path.write_text("a fox")
    assert (tmp_path / "new/deep/fox.png").exists()


def test_without_the_right_to_write(tmp_path):
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    tmp_path.chmod(0o500)
    with pytest.raises(CommandRefused, match="Permission denied"), destination(f"{tmp_path}/x", spared=""):
        pass


@pytest.mark.parametrize(
    ("word", "code", "words"),
    [
        (ID, 0, ID),
        (ID[:22], 0, ID),
        (ID[:22].replace("-", "").upper(), 0, ID),
        (ID[:13], 1, f"Several tasks have ids that begin with {ID[:13]}"),
        (ID[:13], 1, OTHER),
        ("0193a1b2-ffff", 1, "No task has an id that begins with 0193a1b2-ffff"),
        (ID[:7], 1, "is too short for a task: give 8 digits"),
    ],
)
@pytest.mark.parametrize("verb", ["show", "save", "cancel", "retry", "watch"])
def test_a_task_is_named_by_its_beginning(api, word, code, words, verb):
    result, said = run(api, "tasks", verb, word, "--json")
    assert result.exit_code == code, said
    assert words in said + result.stdout
