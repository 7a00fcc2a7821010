"""`genpulse models`: its commands, files of models, and prices in words."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from genpulse.cli.app import genpulse
from genpulse.cli.catalogue.price_words import price_words
from genpulse.cli.catalogue.reference import BEGIN, END, models_text, placed
from genpulse.cli.errors import CommandRefused

PAGE = Path(__file__).parents[3] / "docs/reference/providers.md"


def named(*words):
    """The command that these words mean, below `genpulse models`."""
    group = genpulse.get_command(click.Context(genpulse), "models")
    context = group.make_context("models", list(words), parent=click.Context(genpulse))
    return group.resolve_command(context, [*context._protected_args, *context.args])[::2]


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ((), ("show", [])),
        (("sandbox/image",), ("show", ["sandbox/image"])),
        (("--json", "sandbox/image"), ("show", ["--json", "sandbox/image"])),
        (("show", "sandbox/image"), ("show", ["sandbox/image"])),
        (("sunset", "--json"), ("sunset", ["--json"])),
        (("check",), ("check", [])),
    ],
)
def test_show_need_not_be_named(words, meant):
    assert named(*words) == meant


def run(*words):
    return CliRunner().invoke(genpulse, ["models", *words])


def test_our_files_of_models_are_in_order():
    done = run("check")
    assert (done.exit_code, done.stderr) == (0, "")
    assert "models are in order" in done.stdout


@pytest.mark.parametrize(("kind", "told"), [("text-to-vidoe", True), ("text-to-sculpture", False)])
def test_a_kind_that_looks_misspelt_is_a_warning(tmp_path, monkeypatch, kind, told):
    """An order of a kind that nobody knows is not told from words in place of its medium."""
    monkeypatch.setenv("ENV", "dev")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.yaml").write_text(f"provider: replicate\nmodels: [{{id: acme/films, kinds: [{kind}]}}]")
    done = run("check", str(tmp_path))
    assert done.exit_code == 0
    assert ("Did you mean text-to-video?" in done.stderr) is told


def test_a_folder_is_checked_and_a_model_that_is_gone_is_a_warning(tmp_path, monkeypatch):
    monkeypatch.setenv("ENV", "dev")
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "a.yaml"
    file.write_text("provider: sandbox\nmodels: [{id: image, sunset: 2020-01-01, successor: sandbox/restyle}]")
    done = run("check", str(tmp_path))
    assert done.exit_code == 0
    assert "warning: sandbox/image was shut down on 2020-01-01" in done.stderr
    assert "sandbox/restyle takes its place" in done.stderr
    file.write_text("provider: sandbox\nmodels: [{id: image, prize: 1}, {id: none}]")
    done = run("check", str(tmp_path))
    assert isinstance(done.exception, CommandRefused)
    assert "a.yaml line 2: image: prize: There is no such field; there are id," in str(done.exception)


@pytest.mark.parametrize(
    ("unit", "per", "amounts", "words"),
    [
        ("image", 1, ["0.04"], "$0.04 an image"),
        ("image", 1, ["0.4", "0.04"], "$0.04 to $0.4 an image"),
        ("token", 1_000_000, ["5", "32"], "$5 to $32 for 1,000,000 tokens"),
        ("gpu_second", 1, ["0.0001"], "$0.0001 a second of a GPU"),
        ("parsec", 1, ["1"], "$1 a parsec"),
    ],
)
def test_a_price_in_words(unit, per, amounts, words):
    rates = [{"when": {}, "amount_usd": amount} for amount in amounts]
    assert price_words({"unit": unit, "per": per, "rates": rates}) == words


def test_without_a_price_there_are_no_words():
    assert price_words(None) == ""


def test_the_page_of_providers_is_made_from_the_files():
    page = PAGE.read_text()
    assert placed(page, models_text()) == page, "make reference"


def test_a_page_without_a_place_is_refused():
    assert placed(f"a\n{BEGIN}\nold\n{END}\nb", "new") == f"a\n{BEGIN}\n\nnew\n{END}\nb"
    with pytest.raises(CommandRefused):
        placed("a page", "new")
