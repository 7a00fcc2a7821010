"""Names in the packages are nouns of the subject, and the name of a class means one thing.

A bare participle tells what happened to a value and not which value it is. It may name a flag, and a local whose
last use is at most two lines below its first. Words of a trade stay as they are (`charged`, `spooled`, `pruned`).
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Set
from pathlib import Path
from typing import NamedTuple

import pytest

_ROOT = Path(__file__).parents[2]
PARTICIPLES = frozenset(
    [
        "asked",
        "brought",
        "chosen",
        "come",
        "found",
        "given",
        "gone",
        "got",
        "heard",
        "held",
        "kept",
        "known",
        "left",
        "made",
        "met",
        "named",
        "said",
        "sent",
        "shown",
        "taken",
        "told",
        "wanted",
    ]
)
NEAR = 2
"""Lines from the first place of a local to its last."""
SIDES = "left and right, of a picture"
PLUG_INS = "authors of plug-ins pass it by this name"
ALLOWED = {
    ("genpulse/adapters/database/migrations/versions/0012_assets.py", "found"): "a migration is never changed",
    ("genpulse/adapters/database/migrations/versions/0016_task_words.py", "said"): "a migration is never changed",
    ("genpulse/adapters/redis/provider_gate_script.py", "taken"): "the field of the hash that Redis keeps",
    ("genpulse/domain/provider_account/learned_concurrency.py", "taken"): "the field of the hash that Redis keeps",
    ("genpulse/branching/errors.py", "found"): "the word of `--json`, and of what is shown",
    ("genpulse/branching/files/errors.py", "found"): "the word of `--json`, and of what is shown",
    ("genpulse/branching/forges/errors.py", "found"): "the word of `--json`, and of what is shown",
    ("genpulse/branching/rules/drawing.py", "left"): SIDES,
    ("genpulse/provider/catalogue/model_file.py", "known"): PLUG_INS,
    ("genpulse/provider/model.py", "wanted"): PLUG_INS,
    ("packages/genpulse-client/genpulse_client/asynchronous/client.py", "wanted"): "callers pass it by this name",
    ("packages/genpulse-client/genpulse_client/synchronous/client.py", "wanted"): "callers pass it by this name",
    ("packages/genpulse-client/genpulse_client/request.py", "wanted"): "as the clients above it",
}
IN_ROOMS = {
    ("genpulse/providers/sandbox/pictures/", "left"): SIDES,
}
TWICE = {
    "Api": "a section of the settings is called what it sets",
    "Circuit": "a section of the settings is called what it sets",
    "Storage": "a section of the settings is called what it sets",
    "Worker": "a section of the settings is called what it sets",
    "Check": "a part's health in the document of the API; a check of the conformance kit; one of an order",
    "TaskBatch": "the API's document of a batch bears its name",
    "ChargedOnDocument": "what a file of models says, and what the API shows of it",
    "PriceDocument": "what a file of models says, and what the API shows of it",
    "RateDocument": "what a file of models says, and what the API shows of it",
    "Section": "a section of the settings, and its view for Dynaconf",
    "Verifier": "of a tag's signature; each plug-in's of its vendor's callbacks",
    "DeclaredInput": "each kind of model that a team declares has its own",
}


class Sense(NamedTuple):
    """The rooms whose names may have a word, since it is said there in its one sense; or all but some.

    `is_alone`: a name that has other words besides says itself which sense it is.
    """

    rooms: tuple[str, ...] = ()
    all_but: tuple[str, ...] = ()
    is_alone: bool = False

    def has_room(self, path: str) -> bool:
        """Whether a name in this file may have the word."""
        if self.all_but:
            return not path.startswith(self.all_but)
        return path.startswith(self.rooms)


SENSES = {
    "gate": Sense(all_but=("genpulse/branching/", "genpulse/cli/flow/")),
    "stamp": Sense(
        (
            "genpulse/adapters/database/",
            "genpulse/adapters/postgresql/environment_stamp.py",
            "genpulse/cli/env/",
            "genpulse/wiring/database.py",
        )
    ),
    "adapter": Sense(
        (
            "genpulse/configuration/",
            "genpulse/wiring/catalogue.py",
            "genpulse/provider/plug_in.py",
            "genpulse/providers/catalog.py",
        )
    ),
    "client": Sense(
        ("genpulse/api/", "genpulse/console/", "genpulse/cli/", "genpulse/client/", "packages/"), is_alone=True
    ),
}
"""`docs/explanation/architecture.md` says what each of these words means, and what the other things are called."""


@pytest.fixture(scope="module")
def sources() -> tuple[tuple[str, ast.Module], ...]:
    paths = (path for folder in ("genpulse", "packages") for path in sorted((_ROOT / folder).rglob("*.py")))
    return tuple(
        (path.relative_to(_ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))) for path in paths
    )


def _is_participle(name: str) -> bool:
    return name.strip("_") in PARTICIPLES


def _is_flag(annotation: ast.expr | None, value: ast.expr | None = None) -> bool:
    match value:
        case ast.Constant(bool()) | ast.Compare() | ast.UnaryOp(ast.Not()):
            return True
        case ast.Call(ast.Name("bool" | "any" | "all" | "isinstance")):
            return True
        case ast.BoolOp(_, values):
            return all(_is_flag(None, each) for each in values)
    return annotation is not None and "bool" in ast.unparse(annotation)


def _parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    arguments = function.args
    for each in (
        *arguments.posonlyargs,
        *arguments.args,
        *arguments.kwonlyargs,
        arguments.vararg,
        arguments.kwarg,
    ):
        if each and _is_participle(each.arg) and not _is_flag(each.annotation):
            yield each.arg


def _fields(node: ast.ClassDef) -> Iterator[str]:
    for each in node.body:
        match each:
            case ast.AnnAssign(ast.Name(name), annotation) if _is_participle(name) and not _is_flag(annotation):
                yield name


def _locals(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    lines, flags, bound = defaultdict[str, list[int]](list), set[str](), set[str]()
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and _is_participle(node.id):
            lines[node.id].append(node.lineno)
            if isinstance(node.ctx, ast.Store):
                bound.add(node.id)
        elif isinstance(node, ast.MatchAs) and node.name and _is_participle(node.name):
            bound.add(node.name)
            lines[node.name].append(node.lineno)
        elif isinstance(node, ast.Assign | ast.NamedExpr) and _is_flag(None, node.value):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            flags.update(each.id for each in targets if isinstance(each, ast.Name))
    for name in bound - flags:
        if max(lines[name]) - min(lines[name]) > NEAR:
            yield name


def bare(tree: ast.Module) -> Iterator[str]:
    """The participles that stand alone as a name, and may not."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            yield from _fields(node)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _parameters(node)
            yield from _locals(node)


def names_given(tree: ast.Module) -> Iterator[str]:
    """The names that a module gives: of classes, functions, arguments, variables and attributes."""
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.arg(arg=name) | ast.Name(name, ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield name


def words_of(name: str) -> Set[str]:
    """The words of a name, each without the s of a plural."""
    return {word.lower().removesuffix("s") for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)}


def foreign_senses(path: str, tree: ast.Module) -> Iterator[tuple[str, str]]:
    """The names of a module that have a word of `SENSES` in another sense, and the path."""
    strange = {word: sense for word, sense in SENSES.items() if not sense.has_room(path)}
    for name in {*names_given(tree), Path(path).stem}:
        words = words_of(name)
        if any(words == {word} if sense.is_alone else word in words for word, sense in strange.items()):
            yield path, name


def test_no_bare_participle_is_a_name(sources):
    places = {(path, name) for path, tree in sources for name in bare(tree)}
    odd = {
        (path, name)
        for path, name in places
        if not any(path.startswith(room) and name == word for room, word in IN_ROOMS)
    }
    assert odd - ALLOWED.keys() == set()
    assert ALLOWED.keys() - odd == set(), "allowed, and there no more"


def test_a_name_of_a_class_means_one_thing(sources):
    places = defaultdict[str, list[str]](list)
    for path, tree in sources:
        if path.startswith(("genpulse/providers/", "packages/", "genpulse/dialects/")):
            continue  # plug-ins and doors use the words of their vendors, and none imports another
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(path)
    assert {name: paths for name, paths in places.items() if len(paths) > 1 and name not in TWICE} == {}


def test_a_word_of_several_trades_has_one_sense(sources):
    assert [place for path, tree in sources for place in foreign_senses(path, tree)] == []


@pytest.mark.parametrize(
    ("path", "source", "names"),
    [
        ("genpulse/branching/a.py", "def open_gate(): ...", {"open_gate"}),
        ("genpulse/worker/a.py", "def open_gate(): ...", set()),
        ("genpulse/worker/a.py", "def aggregate(timestamp): ...", set()),
        ("genpulse/branching/stamps.py", "StampFile = 1", {"stamps", "StampFile"}),
        ("genpulse/adapters/redis/a.py", "self._client = client_reference = 1", {"_client"}),
        ("genpulse/cli/a.py", "clients = ()", set()),
        ("genpulse/lifecycle/a.py", "class VendorAdapter: ...", {"VendorAdapter"}),
    ],
)
def test_the_rule_of_one_sense_sees_what_it_is_for(path, source, names):
    assert {name for _, name in foreign_senses(path, ast.parse(source))} == names


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("def find(found: str): ...", ["found"]),
        ("def find(found: bool): ...", []),
        ("class Row:\n    said: str", ["said"]),
        ("def f():\n    known = rows()\n    return known", []),
        ("def f():\n    known = rows()\n    a()\n    b()\n    return known", ["known"]),
        ("def f():\n    known = a == 1\n    a()\n    b()\n    return known", []),
        ("def f():\n    charged = rows()\n    a()\n    b()\n    return charged", []),
        ("def f():\n    known_rows = rows()\n    a()\n    b()\n    return known_rows", []),
    ],
)
def test_the_rule_sees_what_it_is_for(source, names):
    assert list(bare(ast.parse(source))) == names
