"""`genpulse models reference`: all models with their prices, as a part of a page."""

from collections.abc import Iterator
from pathlib import Path

import click

from genpulse.api.schemas.model_facts import PriceDocument
from genpulse.cli.catalogue.price_words import price_words
from genpulse.cli.errors import CommandRefused
from genpulse.cli.output.file_names import write_text
from genpulse.cli.output.terminal import say
from genpulse.provider import AnyModel

BEGIN, END = "<!-- models: genpulse models reference -->", "<!-- end of models -->"
_HEAD = """## Models and prices

Made from the files of models ([how to add one](../how-to/add-a-model.md)). A price is what was read at its source
on its day, in US dollars; vendors change theirs, and what they bill counts. Models without a price cost what their
vendor says, and no budget knows that before; those of `sandbox` cost nothing.

| model | price | read on | ends | in its place |
|---|---|---|---|---|"""


@click.command("reference")
@click.option(
    "--write",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help=f"Put it into this page, between the lines {BEGIN} and {END}.",
)
def command(write: Path | None) -> None:
    """All models of the installed providers with their prices, as a part of a page of documentation."""
    text = models_text()
    if write is None:
        say(text, nl=False)
    else:
        write_text(write, placed(write.read_text(), text))


def placed(page: str, part: str) -> str:
    """The page with this part. Raises `CommandRefused` where it has no place for one."""
    before, begins, rest = page.partition(BEGIN)
    _, ends, after = rest.partition(END)
    if not begins or not ends:
        raise CommandRefused(f"The page has no lines {BEGIN} and {END}, between which the models stand.")
    return f"{before}{BEGIN}\n\n{part}\n{END}{after}"


def models_text() -> str:
    """All models of the installed providers, as a table of Markdown."""
    from genpulse.wiring.catalogue import check_model_files

    return "\n".join([_HEAD, *(line for model in check_model_files().models for line in _lines(*model))]) + "\n"


def _lines(model_id: str, model: AnyModel) -> Iterator[str]:
    facts, lifetime = model.facts, model.facts.lifetime
    document = PriceDocument.of(facts.tariff).model_dump(mode="json") if facts.tariff else None
    day = f"[{facts.tariff.read_on}]({facts.tariff.source})" if facts.tariff else ""
    cells = (f"`{model_id}`", price_words(document), day, lifetime.sunset or "", lifetime.successor or "")
    yield f"| {' | '.join(map(str, cells))} |"
