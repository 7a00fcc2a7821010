"""`genpulse generate --from`: rows of a file become files, and no row is ever paid for twice."""

import asyncio
import json
import os
import signal
import subprocess
from dataclasses import replace
from functools import partial

import pytest

from genpulse.domain.attempt import Failed
from genpulse.domain.errors import ModerationBlocked, ProviderUnavailable, UnknownOutcome
from genpulse.providers.catalog import LoadedCatalogue
from tests import command
from tests.integration.api.conftest import Easel

BLOCKED, AWAY = ModerationBlocked("no").failure, ProviderUnavailable("away").failure
LOST = replace(UnknownOutcome("lost").failure, retryable=True)


class CountingEasel(Easel):
    """Counts what it was asked to draw, which somebody pays for."""

    def __init__(self) -> None:
        super().__init__()
        self.orders: list[str] = []

    async def run(self, call, report):
        self.orders.append(call.input.prompt)
        return await super().run(call, report)


@pytest.fixture
def paid(catalogue_of):
    """The catalogue of a provider that charges for what this easel draws."""

    def make(easel):
        return LoadedCatalogue([replace(catalogue_of(easel).provider("art"), paid=True)])

    return make


@pytest.fixture
def generate(genpulse, tmp_path):
    """Run the command over a text that stands in a file of this name."""

    async def run(api, name, text, *options):
        (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return await genpulse(api, "generate", "--model", "art/easel", "--from", name, "-o", "out/", *options)

    return run


@pytest.fixture
def files(tmp_path):
    """The names of the files that were saved, and what is in them."""

    def found():
        folder = tmp_path / "out"
        saved = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".jsonl"]
        return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(saved)}

    return found


async def tasks_of(api):
    return (await api.get("/v1/tasks?limit=100")).json["data"]


async def test_each_row_becomes_a_file_that_is_known_by_its_name(api, generate, files):
    text = (
        'prompt,width,output,metadata.order,priority\n"a red, red fox",64,,1042,high\nan owl,,birds/owl.png,,\n\n'
    )
    async with api.worker():
        code, out, err = await generate(api, "prompts.csv", text, "--input", "width=32")
    assert code == 0, err
    assert "2 of 2 rows are in out/" in out
    fox, owl = files()
    assert fox.startswith("1-a-red-red-fox-")
    assert owl == "birds/owl.png"
    assert [content.decode() for content in files().values()] == ["drawing of a red, red fox", "drawing of an owl"]
    second, first = await tasks_of(api)
    assert (first["input"], first["metadata"], first["priority"]) == (
        {"prompt": "a red, red fox", "width": 64},
        {"order": "1042"},
        "high",
    )
    assert second["input"] == {"prompt": "an owl", "width": 32}
    assert first["batch"] == second["batch"] is not None


async def test_again_pays_for_nothing_and_fetches_what_is_missing(api, generate, files, tmp_path):
    text = "a fox\nan owl\na fox\n"
    async with api.worker():
        await generate(api, "prompts.txt", text)
        before = files()
        assert len(before) == 3
        (tmp_path / "out" / next(iter(before))).unlink()
        code, out, err = await generate(api, "prompts.txt", text)
        assert (code, files()) == (0, before), err
        assert "(2 of them before this run)" in out
        (tmp_path / "out" / "prompts.results.jsonl").unlink()
        for path in (tmp_path / "out").iterdir():
            path.unlink()
        code, _, err = await generate(api, "prompts.txt", text)
        assert (code, files()) == (0, before), err
        assert len(await tasks_of(api)) == 3
        code, _, _ = await generate(api, "prompts.txt", "a new one\n" + text)
        assert code == 0
        assert len(await tasks_of(api)) == 4
        await generate(api, "prompts.txt", text, "--run", "second")
    assert len(await tasks_of(api)) == 7


async def test_a_torn_line_of_the_results_is_no_result(api, generate, files, tmp_path):
    async with api.worker():
        await generate(api, "prompts.txt", "a fox\nan owl\n")
        results = tmp_path / "out" / "prompts.results.jsonl"
        results.write_bytes(results.read_bytes()[:-20])
        code, out, err = await generate(api, "prompts.txt", "a fox\nan owl\n")
    assert code == 0, err
    assert "(1 of them before this run)" in out
    assert len(await tasks_of(api)) == 2
    lines = [line for line in results.read_text().splitlines() if line.endswith("}")]
    assert {json.loads(line)["line"] for line in lines} == {1, 2}


async def test_a_line_ends_where_an_editor_ends_it(api, generate, files):
    async with api.worker():
        code, _, err = await generate(api, "prompts.txt", "a\u2028fox\x0c!\r\nan owl\rsnow")
    assert code == 0, err
    assert [task["input"]["prompt"] for task in reversed(await tasks_of(api))] == [
        "a\u2028fox\x0c!",
        "an owl",
        "snow",
    ]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("p.csv", "prompt,width\na,64\nb,wide\n", "p.csv:3: width: 'wide' is no integer"),
        ("p.csv", "prompt,width\na,64\nb,0\n", "p.csv:3: width: Input should be greater than or equal to"),
        ("p.csv", 'prompt\n"a\nfox"\nb,c\n', "p.csv:4: it has 2 cells, and there are 1 columns"),
        ("p.csv", "prompt,prompt\na,b\n", "p.csv:1: two columns have the name 'prompt'"),
        ("p.csv", 'prompt\na\n"b\n', "p.csv:3: this is no CSV"),
        ("p.csv", "promt\na\n", "p.csv:2: promt: "),
        ("p.csv", "prompt,output\na,x.png\nb,X.png\n", "p.csv:3: output: line 2 has that name already"),
        ("p.csv", "prompt,output\na,x\nb,x.png\n", "p.csv:3: output: line 2 has that name already"),
        ("p.csv", "prompt,output\na,../x.png\n", "p.csv:2: output: '../x.png' is no name of a file in the folder"),
        (
            "p.csv",
            "prompt,output\na,P.results.jsonl\n",
            "p.csv:2: output: 'P.results.jsonl' is the file of the results",
        ),
        ("p.csv", "prompt,model\na,art/easle\n", "p.csv:2: model: there is no model 'art/easle'"),
        ("p.csv", "prompt,priority\na,urgent\n", "p.csv:2: priority: 'urgent' is none of high, normal, low"),
        ("p.csv", "prompt,kind\na,text-to-speech\n", "p.csv:2: kind: art/easel does not do 'text-to-speech'"),
        ("p.csv", "prompt,width\na,64\nb,NaN\n", "p.csv:3: width: 'NaN' is no integer"),
        ("p.csv", "prompt,width\na,64\nb,1e999\n", "p.csv:3: width: '1e999' is no integer"),
        ("p.csv", "prompt,deadline_s\na,nan\nb,inf\n", "p.csv:2: deadline_s: 'nan' is no number of seconds"),
        (
            "p.jsonl",
            '{"prompt": "a", "width": 1e999}\n',
            "p.jsonl:1: this is no JSON: 1e999 is too great a number",
        ),
        (
            "p.jsonl",
            '{"prompt": ' + "[" * 100_000,
            "p.jsonl:1: this is no JSON: its lists and objects stand too deep",
        ),
        ("p.jsonl", '{"prompt": "a"}\n{"prompt": "b"\n', "p.jsonl:2: this is no JSON"),
        ("p.jsonl", '{"prompt": "a"}\n[1]\n', "p.jsonl:2: this is no JSON object"),
        ("p.jsonl", '{"prompt": "a", "prompt": "b"}\n', "p.jsonl:1: this is no JSON: 'prompt' is said twice"),
        ("p.jsonl", '{"prompt": 7}\n{"prompt": "b"}\n', "p.jsonl:1: prompt: "),
        ("p.txt", b"a\n\xff\n", "p.txt:2: this is no UTF-8"),
        ("p.txt", "\n \n", "There is no row in p.txt"),
        ("p.xlsx", "a", "p.xlsx ends in none of .csv, .jsonl, .txt"),
    ],
)
async def test_a_broken_row_is_named_before_anything_is_submitted(api, generate, name, text, said):
    code, _, err = await generate(api, name, text)
    assert (code, said in err) == (1, True), err
    assert await tasks_of(api) == []


async def test_of_many_rows_none_is_submitted_where_one_is_broken(api, generate):
    rows = "".join(f'{{"prompt": "{number}"}}\n' for number in range(1100))
    code, _, err = await generate(api, "p.jsonl", rows + '{"prompt": "b", "width": 0}\n')
    assert (code, "p.jsonl:1101: width: " in err) == (1, True), err
    assert await tasks_of(api) == []


async def test_failed_rows_are_told_and_run_again(api, generate, files):
    waiting = asyncio.create_task(generate(api, "p.txt", "a\nb\nc\n"))
    async with asyncio.timeout(60):
        while len(await tasks_of(api)) < 3:
            await asyncio.sleep(0.01)
    await api.end(Failed(BLOCKED))
    await api.end(Failed(AWAY))
    async with api.worker():
        code, out, err = await waiting
        assert code == 1
        assert "1 of 3 rows are in out/" in out
        assert "p.txt:1: moderation_blocked: no" in err
        assert "p.txt:2: provider_unavailable: away" in err
        assert "with --retry runs them" in err
        code, out, err = await generate(api, "p.txt", "a\nb\nc\n", "--retry", "--json")
    document = json.loads(out)
    assert (code, document["saved"], document["saved_before"]) == (1, 2, 1), err
    assert [failure["line"] for failure in document["failures"]] == [1]
    assert len(await tasks_of(api)) == 3
    assert len(files()) == 2


@pytest.mark.parametrize("options", [("a fox",), ("-o", "-")])
async def test_a_file_goes_with_no_prompt_and_no_standard_output(api, genpulse, tmp_path, options):
    (tmp_path / "p.txt").write_text("a")
    code, _, err = await genpulse(api, "generate", "--from", "p.txt", *options)
    assert (code, "--from" in err) == (2, True)
    code, _, err = await genpulse(api, "generate", "a fox", "--retry")
    assert (code, "--from" in err) == (2, True)


async def test_killed_at_any_moment_it_pays_for_nothing_twice(serve, paid, tmp_path, files):
    easel = CountingEasel()
    api = await serve(catalogue=paid(easel))
    prompts = [f"picture {number}" for number in range(40)]
    (tmp_path / "p.txt").write_text("\n".join(prompts))
    words = ("generate", "--model", "art/easel", "--from", "p.txt", "-o", "out/", "--api", api.url)
    environment = {"PATH": os.defpath}
    async with api.worker():
        for kills in range(6):
            running = command.start(*words, folder=tmp_path, environment=environment, merged=True)
            asked, saved = len(easel.orders), len(files()) if (tmp_path / "out").exists() else 0
            async with asyncio.timeout(60):
                while running.poll() is None and not _has_moved(kills, easel, tmp_path, asked, saved):
                    await asyncio.sleep(0.001)
            running.send_signal(signal.SIGKILL)
            await asyncio.to_thread(running.communicate)
        last = partial(command.run, *words, folder=tmp_path, environment=environment, stdin=subprocess.DEVNULL)
        done = await asyncio.to_thread(last)
    assert done.returncode == 0, done.stderr
    assert sorted(easel.orders) == sorted(prompts)
    whole = [content.decode() for name, content in files().items() if not name.endswith(".part")]
    assert sorted(whole) == sorted(f"drawing of {prompt}" for prompt in prompts)


def _has_moved(kills, easel, tmp_path, asked, saved):
    """Whether the time has come for this kill: at an order, at a file, or at several."""
    if kills % 2 == 0:
        return len(easel.orders) > asked or len(easel.orders) == 40
    return len(list((tmp_path / "out").rglob("*"))) > saved + kills


async def test_broken_off_it_says_how_to_go_on(api, tmp_path):
    (tmp_path / "p.txt").write_text("a\nb\n")
    words = ("generate", "--model", "art/easel", "--from", "p.txt", "--api", api.url)
    running = command.start(*words, folder=tmp_path, environment={"PATH": os.defpath}, merged=True)
    async with asyncio.timeout(60):
        while not await tasks_of(api):
            await asyncio.sleep(0.01)
    running.send_signal(signal.SIGINT)
    said, _ = await asyncio.to_thread(running.communicate)
    assert running.poll() == 130, said
    assert "Run the same command again: what is saved stays, and nothing is paid for twice." in said
    assert not (tmp_path / "p").exists()


async def test_what_may_be_charged_already_is_not_run_again(serve, paid, generate):
    api = await serve(catalogue=paid(Easel()))
    text = "prompt,model\na,art/print\nb,art/print\n"
    options = ("--kind", "text-to-image", "--json")
    waiting = asyncio.create_task(generate(api, "p.csv", text, *options))
    async with asyncio.timeout(60):
        while len(await tasks_of(api)) < 2:
            await asyncio.sleep(0.01)
    await api.end(Failed(LOST), ordered=True)
    await api.end(Failed(AWAY))
    code, _, err = await waiting
    assert code == 1, err
    async with api.worker():
        code, out, err = await generate(api, "p.csv", text, *options, "--retry")
    document = json.loads(out)
    assert (code, document["saved"]) == (1, 1), err
    assert [(failure["line"], failure["can_run_again"]) for failure in document["failures"]] == [(2, False)]
    code, _, err = await generate(api, "p.csv", text, "--kind", "text-to-image", "--retry")
    assert (code, "Not run again: 1 (may_be_charged)" in err) == (1, True), err
