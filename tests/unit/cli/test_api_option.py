"""`--api` of all commands that ask the API."""

import pytest
from click.testing import CliRunner

from genpulse.cli.app import genpulse

COMMANDS = (
    ("generate", "a fox"),
    ("models",),
    ("providers",),
    ("tasks", "list"),
    ("tasks", "show", "x"),
    ("tasks", "retry", "--all"),
)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("", "begin with http"),
        ("foo", "begin with http"),
        ("127.0.0.1:8000", "begin with http"),
        ("ftp://127.0.0.1", "begin with http"),
        ("http://", "names no host"),
        ("http://127.0.0.1:99999", "is no port"),
        ("http://[::1", "in brackets"),
        ("http://127.0.0.1:8000?x=1", "has a ?"),
        ("http://a b", "has a blank"),
    ],
)
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_nobody_is_told_to_start_what_is_no_address(command, address, words):
    result = CliRunner().invoke(genpulse, [*command, "--api", address])
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr
    assert "genpulse dev" not in result.stderr
