"""Every piece of the how-to about models as data: copied from there, and run."""

from decimal import Decimal
from itertools import product
from uuid import uuid4

import pytest
import yaml

from genpulse import config
from genpulse.provider import Call, ProviderSettings
from genpulse.provider.catalogue.documents import EntryDocument, FieldDocument
from genpulse.wiring.catalogue import check_model_files, open_catalogue
from tests.acceptance.snippets import Page, run, understood

PAGE = Page("how-to/add-a-model.md")
PLUG_IN = Page("how-to/write-a-provider.md")
KLING = "fal/fal-ai/kling-video/v3/standard/text-to-video"


@pytest.fixture
def catalogue(tmp_path):
    """Of a project with the configuration and the files of the page."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config/config.yaml").write_text(PAGE.block("folder: models"))
    (tmp_path / "models").mkdir()
    for provider in ("fal", "openai"):
        (tmp_path / f"models/{provider}.yaml").write_text(PAGE.block(f"# models/{provider}.yaml"))
    settings = config.load(tmp_path, process={"ENV": "dev"}, require=())
    assert check_model_files(settings, tmp_path / "models").faults == ()
    return open_catalogue(settings)


def test_the_model_that_the_page_adds(catalogue):
    model = catalogue.model(KLING)
    prices = {
        (size, seconds): model.price_of(model.parse({"prompt": "x", "resolution": size, "duration": seconds}))
        for size, seconds in product(("720p", "1080p"), (5, 10))
    }
    assert [Decimal(usd) for usd in ("0.4", "0.8", "0.7", "1.4")] == list(prices.values())
    assert model.facts.charged_on.cancel is True
    assert model.kinds == ("text-to-video",)


def test_the_models_that_the_page_changes(catalogue):
    model = catalogue.model("openai/gpt-image-2")
    wanted = model.parse({"prompt": "x", "n": 2, "size": "1024x1024", "quality": "low"})
    assert model.price_of(wanted) == Decimal("0.02")
    assert model.price_of(model.parse({"prompt": "x"})) == Decimal("0.15")
    assert catalogue.lifetime("openai/gpt-image-2").successor == "openai/gpt-image-2.6-flare"
    assert not catalogue.model("openai/gpt-image-9").knows_price


def test_each_block_is_tried_here():
    assert len(PAGE.blocks("yaml")) == 3


def test_every_key_of_an_entry_and_of_a_field_is_on_the_page():
    for name in (*EntryDocument.model_fields, *FieldDocument.model_fields):
        assert f"`{name}`" in PAGE.text, name


@pytest.mark.parametrize("words", PAGE.commands(), ids=" ".join)
def test_each_command_is_one(words):
    assert understood(words)


async def test_a_plug_in_with_a_file_of_models(tmp_path):
    (tmp_path / "models.yaml").write_text(PLUG_IN.block("# models.yaml"))
    names = await run(PLUG_IN.block("# shop.py"), {"__file__": str(tmp_path / "shop.py"), "__name__": "shop"})
    (model,) = names["provider"](ProviderSettings()).models
    wanted = model.parse({"text": "hello"})
    result = await model.engine.generate(Call(model.name, "text-to-speech", wanted, uuid4(), "r", 1))
    assert result.outputs[0].content.startswith(b"RIFF")
    cost = model.cost_of(wanted, result.usage)
    assert (model.price_of(wanted), cost.amount_usd, cost.estimated) == (
        Decimal("0.000075"),
        Decimal("0.000075"),
        False,
    )


def test_the_keys_of_prices_on_the_page_are_those_that_there_are():
    entry = yaml.safe_load(PAGE.block("# models/fal.yaml"))["models"][0]
    assert EntryDocument.model_validate(entry).price.counted_by == "duration"
