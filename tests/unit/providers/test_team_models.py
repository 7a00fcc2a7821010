"""Models that a team adds, and what it says differently of ours."""

from decimal import Decimal

import pytest
import yaml

from genpulse import config
from genpulse.configuration.errors import ConfigurationError
from genpulse.provider import Call, Input, Local, Model, Provider, ProviderSettings, Report, Result
from genpulse.provider.catalogue import ModelFile, ModelFilesInvalid
from genpulse.provider.passthrough import DeclaredInput
from genpulse.providers import fal, openai_compatible, sandbox
from genpulse.providers.catalog import LoadedCatalogue, load
from genpulse.providers.team_models import with_team_models
from genpulse.wiring.catalogue import open_catalogue

PRICE = "{unit: call, amount: 0.5, date: 2026-11-20, source: https://vendor.example/prices}"


class Nothing(Local[Input]):
    async def run(self, call: Call[Input], report: Report) -> Result:
        return Result()


def closed(*names, **changes):
    """A provider whose models are all written in code."""
    return Provider("closed", tuple(Model(name, ("noop",), Input, Nothing(), **changes) for name in names))


def files(tmp_path, **texts):
    for name, text in texts.items():
        (tmp_path / f"{name}.yaml").write_text(text)
    return [ModelFile(tmp_path / f"{name}.yaml") for name in sorted(texts)]


def test_a_price_of_the_team_replaces_that_of_the_code_and_the_rest_stays(tmp_path):
    provider = closed("one", "two", price=lambda _: Decimal(9), title="Title")
    text = f"provider: closed\nmodels:\n- id: one\n  price: {PRICE}\n  sunset: 2027-01-01"
    (changed,) = with_team_models([provider], files(tmp_path, a=text))
    one, two = changed.models
    assert (one.price_of(Input()), two.price_of(Input())) == (Decimal("0.5"), 9)
    assert (one.title, one.engine, one.facts.lifetime.sunset.year) == ("Title", provider.models[0].engine, 2027)


def test_an_app_of_fal_with_fields_of_its_own(tmp_path):
    text = (
        "provider: fal\nmodels:\n- id: fal-ai/clip\n  title: Clip\n  kinds: [text-to-video]\n  price:\n"
        "    {unit: second, amount: 0.1, counted_by: seconds, at_most: 10, date: 2026-11-20, source: fal.ai}\n"
        "  input:\n    fields:\n      prompt: {type: string, required: true}\n"
        "      seconds: {type: integer, min: 1, max: 10, default: 5}\n"
    )
    (changed,) = with_team_models([fal.provider(ProviderSettings("k"))], files(tmp_path, a=text))
    clip = next(model for model in changed.models if model.name == "fal-ai/clip")
    assert (clip.title, clip.kinds) == ("Clip", ("text-to-video",))
    wanted = clip.parse({"prompt": "a fox"})
    assert isinstance(wanted, DeclaredInput)
    assert wanted.document() == {"prompt": "a fox", "seconds": 5}
    assert clip.price_of(wanted) == Decimal("0.5")


def test_a_model_of_openai_by_what_it_does(tmp_path):
    text = f"provider: openai\nmodels:\n- id: gpt-image-9\n  does: image\n  price: {PRICE}\n"
    (changed,) = with_team_models([openai_compatible.openai(ProviderSettings())], files(tmp_path, a=text))
    model = next(model for model in changed.models if model.name == "gpt-image-9")
    assert model.kinds == ("text-to-image", "image-to-image")
    assert model.kind_of(model.parse({"prompt": "x"})) == "text-to-image"


def test_what_stands_in_extra_is_what_is_priced():
    model = next(m for m in openai_compatible.openai(ProviderSettings()).models if m.name == "gpt-image-1.5")
    one, ten, null = (
        model.price_of(model.parse({"prompt": "x", "extra": extra})) for extra in ({}, {"n": 10}, {"n": None})
    )
    assert ten > 9 * one > 0
    assert null == one


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "provider: closd\nmodels: [{id: one}]",
            "a.yaml line 1: provider: no provider is named 'closd'; there is",
        ),
        (
            "provider: closed\nmodels: [{id: three}]",
            "a.yaml line 2: three: closed takes no new models; it has one",
        ),
        ("provider: closed\nmodels: [{id: one, input: Words}]", "closed knows no names of inputs"),
        ("provider: closed\nmodels: [{id: one, does: image}]", "does is for new models"),
        ("provider: openai\nmodels: [{id: gpt-9}]", "it can do image, background, speech or video"),
        (
            "provider: openai\nmodels: [{id: gpt-9, does: image, input: {fields: {a: {type: string}}}}]",
            "not taken",
        ),
        ("provider: openai\nmodels: [{id: gpt-image-2, input: SpeechInput}]", "what it does takes ImageInput"),
        ("provider: sandbox\nmodels: [{id: film, does: video, input: ImageInput}]", "takes VideoInput"),
        ("provider: fal\nmodels: [{id: alone}]", "a.yaml line 2: alone: an app of fal is named owner/app"),
        ("provider: fal\nmodels: [{id: a b/c}]", "a.yaml line 2: a b/c: the model name 'a b/c' is not"),
        ("provider: closed\nmodels: [{id: one, sunset: 2025-01-01}]", "is before deprecated 2026-01-01"),
    ],
)
def test_what_a_team_cannot_say(tmp_path, text, said):
    dated = "provider: closed\nmodels: [{id: one, deprecated: 2026-01-01}]"
    (ours,) = with_team_models([closed("one")], files(tmp_path, dated=dated))
    providers = [ours, fal.provider(ProviderSettings()), openai_compatible.openai(ProviderSettings())]
    providers.append(sandbox.provider(ProviderSettings()))
    with pytest.raises(ModelFilesInvalid) as caught:
        with_team_models(providers, files(tmp_path, a=text))
    assert said in str(caught.value)


def test_two_files_say_the_same_model_and_a_circle_through_two_files(tmp_path):
    first = "provider: closed\nmodels: [{id: one, successor: fal/a/b}]"
    second = "provider: closed\nmodels: [{id: one}]"
    third = "provider: fal\nmodels: [{id: a/b, successor: closed/one}]"
    with pytest.raises(ModelFilesInvalid) as caught:
        with_team_models(
            [closed("one"), fal.provider(ProviderSettings())], files(tmp_path, a=first, b=second, c=third)
        )
    twice, circle = caught.value.faults
    assert str(twice) == "b.yaml line 2: one: closed/one is in a.yaml line 2 already"
    assert "closed/one → fal/a/b → closed/one" in str(circle)


def test_a_file_of_a_provider_that_is_switched_off_is_not_looked_at(tmp_path):
    added = files(tmp_path, a="provider: sandbox\nmodels: [{id: none}]")
    assert "sandbox" not in load({}, ["sandbox"], added=added).providers()
    with pytest.raises(ModelFilesInvalid):
        load({}, added=added)


def project(tmp_path, folder="models", **texts):
    (tmp_path / "config").mkdir()
    document = {"default": {"catalogue": {"folder": folder}}}
    (tmp_path / "config/config.yaml").write_text(yaml.safe_dump(document))
    if texts:
        (tmp_path / "models").mkdir()
    for name, text in texts.items():
        (tmp_path / f"models/{name}.yaml").write_text(text)
    return config.load(tmp_path, process={"ENV": "dev"}, require=())


def test_the_folder_of_the_configuration(tmp_path):
    text = f"provider: sandbox\nmodels:\n- id: image\n  price: {PRICE}\n- id: poster\n  does: image\n"
    catalogue = open_catalogue(project(tmp_path, a=text))
    assert catalogue.model("sandbox/poster").input is catalogue.model("sandbox/image").input
    assert catalogue.model("sandbox/image").knows_price
    assert not catalogue.model("sandbox/poster").knows_price


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ({}, "models): there is no such folder"),
        ({"a": "provider: sandbox\nmodels: [{id: none, does: nothing}]"}, "(a.yaml line 2): none: it is to do"),
        ({"a": "provider: [", "b": "- 7"}, "b.yaml line 1): expected provider and models at its top"),
    ],
)
def test_faults_of_the_folder_are_faults_of_the_configuration(tmp_path, texts, said):
    settings = project(tmp_path, **texts)
    with pytest.raises(ConfigurationError) as caught:
        open_catalogue(settings)
    assert said in str(caught.value)
    assert all(fault.key == "catalogue.folder" for fault in caught.value.faults)
    assert caught.value.exit_code == 78


def test_the_lifetime_of_an_unknown_model_is_unlimited():
    assert not LoadedCatalogue([closed("one")]).lifetime("closed/none").is_limited
