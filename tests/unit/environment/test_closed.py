"""The words of the environments table are nowhere else in the code."""

import ast
from pathlib import Path

import genpulse
from genpulse.environment.table import ENVIRONMENTS

WORDS = {word for row in ENVIRONMENTS for word in (row.dynaconf, row.key_prefix, row.api_key_prefix)}


def literals(path):
    """The texts of the code, without documentation: docstrings, and examples of an OpenAPI document.

    Few files have one of the words, and only those are parsed.
    """
    text = path.read_text()
    if not any(word in text for word in WORDS):
        return set()
    tree = ast.parse(text)
    documentation = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            documentation.add(node.value)
        if isinstance(node, ast.keyword) and node.arg == "examples":
            documentation.update(ast.walk(node.value))
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in documentation
    }


def test_nothing_else_knows_them():
    package = Path(genpulse.__file__).parent
    table = package / "environment/table.py"
    knowing = {
        (str(path.relative_to(package)), word)
        for path in package.rglob("*.py")
        if path != table
        for word in WORDS & literals(path)
    }
    assert knowing == set()
