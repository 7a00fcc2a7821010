"""Rows of files of prompts, and the orders that are made of them."""

import json

import pytest

from genpulse.cli.errors import CommandRefused
from genpulse.cli.prompt_file.results import Results, SavedFile
from genpulse.cli.prompt_file.row_orders import UsualOrder, orders_of
from genpulse.cli.prompt_file.rows import rows_of
from genpulse_client import Task
from genpulse_client.results.model import model_of

SCHEMA = {
    "properties": {
        "prompt": {"type": "string"},
        "seed": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        "strength": {"type": "number"},
        "tile": {"type": "boolean"},
        "size": {"$ref": "#/$defs/Size"},
        "points": {"type": "array"},
    },
    "additionalProperties": False,
    "$defs": {"Size": {"enum": ["small", "large"]}},
}
SPEECH = {"properties": {"text": {"type": "string"}}, "additionalProperties": False}
EASEL = UsualOrder("art/easel")
MODELS = {
    name: model_of({"id": name, "kinds": kinds, "input_schema": schema})
    for name, kinds, schema in (
        ("art/easel", ["text-to-image"], SCHEMA),
        ("art/voice", ["text-to-speech"], SPEECH),
        ("art/any", ["text-to-image"], {"additionalProperties": True}),
    )
}


@pytest.fixture
def read(tmp_path):
    """The orders of a text in a file of this name."""

    def orders(name, text, usual=EASEL, run="p"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return orders_of(path, rows_of(path), MODELS, usual, run)

    return orders


def inputs(orders):
    return [row.order.input for row in orders]


def test_cells_are_read_as_the_model_wants_them(read):
    text = 'prompt,seed,strength,tile,size,points\n42,7,0.5,TRUE,large,"[1, 2]"\nnull,null,,,,\n'
    assert inputs(read("p.csv", text)) == [
        {"prompt": "42", "seed": 7, "strength": 0.5, "tile": True, "size": "large", "points": [1, 2]},
        {"prompt": "null", "seed": None},
    ]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_tables_of_spreadsheets_are_read(read, separator):
    text = separator.join(["prompt", "seed"]) + "\r\n" + separator.join(['"a ""red"" fox\nat dawn"', "1"]) + "\r\n"
    (row,) = read("p.csv", b"\xef\xbb\xbf" + text.encode())
    assert (row.line, row.order.input) == (2, {"prompt": 'a "red" fox\nat dawn', "seed": 1})


def test_names_of_lines_are_those_of_an_editor(read):
    rows = read("p.csv", 'prompt\n\n"a\nb"\n\nc\n')
    assert [(row.line, row.place) for row in rows] == [(3, 1), (6, 2)]
    assert [row.line for row in read("p.txt", "a\n\n  b  \n")] == [1, 3]


def test_a_line_of_json_says_the_same(read):
    text = (
        '{"prompt": "a", "seed": 7, "model": "art/any", "extra": {"deep": [1]}, "priority": "low",'
        ' "deadline_s": 60}\n'
        '{"input": {"prompt": "b"}, "metadata": {"order": 1042}, "input.seed": 3}\n'
    )
    first, second = read("p.jsonl", text)
    assert first.order.input == {"prompt": "a", "seed": 7, "extra": {"deep": [1]}}
    assert (first.order.model, first.order.priority, first.order.deadline_s) == ("art/any", "low", 60.0)
    assert (second.order.input, second.order.metadata) == ({"prompt": "b", "seed": 3}, {"order": "1042"})


def test_a_prompt_goes_where_the_model_takes_its_words(read):
    assert inputs(read("p.txt", "hello\n", UsualOrder("art/voice"))) == [{"text": "hello"}]


def test_what_is_usual_holds_where_a_row_says_nothing(read):
    usual = UsualOrder("art/easel", None, {"seed": "5", "strength": 0.1})
    rows = read("p.csv", "prompt,seed\na,\nb,6\n", usual)
    assert inputs(rows) == [
        {"prompt": "a", "seed": 5, "strength": 0.1},
        {"prompt": "b", "seed": 6, "strength": 0.1},
    ]


@pytest.mark.parametrize(
    ("output", "name"),
    [
        ("birds/owl.png", "birds/owl.png"),
        ("a b.png", "a b.png"),
        ("-rf.png", "rf.png"),
        ("./.hidden/.owl.png", "hidden/owl.png"),
        ("birds\\owl", "birds/owl"),
        ("what?.png", "what-.png"),
        ("x/con.png", "x/_con.png"),
        ("owl\x1b[2J.png", "owl-[2J.png"),
    ],
)
def test_a_name_that_a_row_gives_its_file_is_made_safe(read, output, name):
    text = json.dumps({"prompt": "a", "output": output})
    (row,) = read("p.jsonl", text)
    assert row.name == name


def test_names_that_are_one_when_they_are_safe_are_told(read):
    with pytest.raises(CommandRefused, match="line 2 has that name already"):
        read("p.csv", "prompt,output\na,x?.png\nb,x*.png\n")


def test_a_cell_that_is_too_long_is_said_with_its_row(read):
    for text in (f'prompt\nfox\n"{"x" * 131_073}"\n', 'prompt\nfox\n"a red fox\n' + "an owl\n" * 20_000):
        with pytest.raises(CommandRefused) as refused:
            read("p.csv", text)
        assert "p.csv:3: a cell has more than 131,072 characters" in str(refused.value)
    assert len(read("p.csv", f"prompt\n{'x' * 131_072}\n")) == 1


def keys(rows):
    return [row.key for row in rows]


def test_a_row_is_known_by_what_it_orders_and_not_by_where_it_stands(read):
    first = keys(read("p.txt", "a\nb\na\n"))
    assert len(set(first)) == 3
    assert keys(read("q.txt", "new\na\nb\na\n"))[1:] == first
    assert keys(read("p.csv", "output,prompt\nx,a\ny,b\nz,a\n")) == first
    assert set(keys(read("p.txt", "a\nb\na\n", run="another"))).isdisjoint(first)
    assert keys(read("p.csv", "prompt,seed\na,1\n"))[0] not in first


def test_names_tell_rows_apart(read):
    names = [
        row.name for row in read("p.txt", "\n".join(["A red/fox: at… dawn?", "Ein Füchslein", "…", *"x" * 7]))
    ]
    assert [name[:-7] for name in names[:3]] == ["01-a-red-fox-at-dawn", "02-ein-füchslein", "03-easel"]
    assert len(set(names)) == 10


def test_files_that_are_gone_or_cut_off_are_missing(tmp_path, read):
    (row,) = read("p.txt", "a\n")
    task = Task({"id": "t", "status": "succeeded"})
    results = Results(tmp_path, "p")
    assert not results.has(row)
    (tmp_path / "a.png").write_bytes(b"12345")
    results.saved(row, task, [SavedFile("a.png", 5)])
    assert results.has(row)
    assert Results(tmp_path, "p").has(row)
    (tmp_path / "a.png").write_bytes(b"1234")
    assert not Results(tmp_path, "p").has(row)


def test_a_file_of_results_that_cannot_be_read_is_said(tmp_path):
    (tmp_path / "p.results.jsonl").mkdir()
    with pytest.raises(CommandRefused, match="cannot be read"):
        Results(tmp_path, "p")
