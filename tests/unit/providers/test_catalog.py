"""Finding providers, and naming the models that were meant."""

from importlib.metadata import EntryPoint

import pytest

from genpulse.domain.errors import UnknownModel
from genpulse.provider import Call, Input, Local, Model, Provider, ProviderSettings, Report, Result
from genpulse.provider.passthrough import FreeInput
from genpulse.providers import fal, openai_compatible, replicate
from genpulse.providers.catalog import GROUP, LoadedCatalogue, load


class Nothing(Local[Input]):
    async def run(self, call: Call[Input], report: Report) -> Result:
        return Result()


def provider(name, *models, close=None):
    made = tuple(Model(model, ("noop",), Input, Nothing()) for model in models)
    return Provider(name, made, close) if close else Provider(name, made)


CATALOGUE = LoadedCatalogue([provider("paint", "image", "video-hd"), provider("sound", "speech")])


def test_models_are_sorted_by_their_public_id():
    assert [name for name, _ in CATALOGUE.models()] == ["paint/image", "paint/video-hd", "sound/speech"]
    assert CATALOGUE.providers() == ("paint", "sound")
    assert CATALOGUE.model("sound/speech").name == "speech"


@pytest.mark.parametrize(
    ("asked", "near"),
    [
        ("paint/imag", "paint/image"),
        ("speech", "sound/speech"),
        ("other/speech", "sound/speech"),
        ("PAINT/IMAGE", "paint/image"),
    ],
)
def test_near_names_are_given(asked, near):
    with pytest.raises(UnknownModel) as caught:
        CATALOGUE.model(asked)
    assert near in caught.value.near


def test_far_names_are_not_given():
    with pytest.raises(UnknownModel) as caught:
        CATALOGUE.model("zzzzzzzzzzz/q")
    assert caught.value.near == ()


def test_ours_are_found_like_anybodys():
    found = load({})
    assert "sandbox" in found.providers()
    assert {f"sandbox/{name}" for name in ("image", "video", "speech", "music", "noop")} <= {
        name for name, _ in found.models()
    }
    assert found.broken == {}


def test_a_disabled_provider_is_left_out():
    assert "sandbox" not in load({}, ["sandbox"]).providers()


def test_every_model_has_a_schema_with_titles():
    for name, model in load({}).models():
        schema = model.input.model_json_schema()
        assert schema["additionalProperties"] is (model.input is FreeInput), name
        assert all(field.get("title") for field in schema["properties"].values())
        assert model.description


async def test_closing_closes_every_provider():
    closed = []

    async def close():
        closed.append(1)

    await LoadedCatalogue([provider("a", "x", close=close), provider("b", "x", close=close)]).close()
    assert closed == [1, 1]


def test_settings_do_not_show_the_key():
    assert "hunter2" not in repr(ProviderSettings(api_key="hunter2"))


def test_an_adapter_serves_whatever_name_an_operator_gives():
    given = ProviderSettings(base_url="http://gpu-1:8000/v1", models={"flux-1.5": "image"})
    found = load({"studio": given}, adapters={"studio": "openai_compatible"})
    assert "studio" in found.providers()
    assert found.model("studio/flux-1.5").kinds == ("text-to-image", "image-to-image")
    assert found.broken == {}


def test_an_adapter_that_is_not_there_leaves_the_others_alone():
    found = load({}, adapters={"studio": "nothing"})
    assert "there is openai_compatible" in found.broken["studio"]
    assert "sandbox" in found.providers()


def test_an_adapter_may_take_the_place_of_a_plug_in():
    given = ProviderSettings(base_url="http://gateway/v1", models={"x": "image"})
    found = load({"openai": given}, adapters={"openai": "openai_compatible"})
    assert [name for name, _ in found.models() if name.startswith("openai/")] == ["openai/x"]


ODD = (
    "Bug/X",
    "fal-ai/Flux",
    "Qwen/Qwen-Image",
    "a b/c",
    "a/b/../c",
    "a//b",
    "/",
    "a/",
    "a/b?x=1",
    "a/b#c",
    "a/%2e%2e",
    "a/b\n",
    "a/\x00",
    "a/\ud83d",
    "ä/ö",
    "a/b:",
    "a/b:c:d",
    "." * 200,
    "a/" * 99,
)


@pytest.mark.parametrize("build", [fal.provider, replicate.provider])
@pytest.mark.parametrize("name", ODD)
def test_an_odd_name_is_a_model_or_unknown(build, name):
    catalogue = LoadedCatalogue([build(ProviderSettings())])
    (vendor,) = catalogue.providers()
    try:
        assert catalogue.model(f"{vendor}/{name}").name == name
    except UnknownModel:
        assert name not in {"Bug/X", "fal-ai/Flux", "Qwen/Qwen-Image"}


@pytest.mark.parametrize("error", [ValueError("odd"), KeyError("x"), RecursionError()])
def test_a_plug_in_that_fails_to_look_for_a_model_has_none(error):
    def find_model(name):
        raise error

    catalogue = LoadedCatalogue([Provider("odd", (), find_model=find_model)])
    with pytest.raises(UnknownModel):
        catalogue.model("odd/a/b")


def test_models_that_an_operator_adds_keep_their_letters():
    settings = ProviderSettings(base_url="http://hub:8000/v1", models={"Qwen/Qwen-Image": "image"}, name="hub")
    catalogue = LoadedCatalogue([openai_compatible.provider(settings)])
    assert catalogue.model("hub/Qwen/Qwen-Image").name == "Qwen/Qwen-Image"
    with pytest.raises(UnknownModel) as caught:
        catalogue.model("hub/qwen/qwen-image")
    assert caught.value.near == ("hub/Qwen/Qwen-Image",)


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (("gpt-image-2", {"prompt": "x"}), "text-to-image"),
        (
            ("gpt-image-2", {"prompt": "x", "images": ["asset:0197a3a6-1111-7222-8333-00000000abcf"]}),
            "image-to-image",
        ),
        (("film", {"prompt": "x"}), "text-to-video"),
        (("film", {"prompt": "x", "image": "asset:0197a3a6-1111-7222-8333-00000000abcf"}), "image-to-video"),
        (("gpt-4o-mini-tts", {"text": "x"}), "text-to-speech"),
    ],
)
def test_the_input_decides_the_kind_of_openai_models(given, kind):
    name, wanted = given
    plug_in = openai_compatible.openai(ProviderSettings(models={"film": "video"}))
    (model,) = (each for each in plug_in.models if each.name == name)
    assert model.kind_of(model.parse(wanted)) == kind


def test_a_provider_lacks_what_it_says_that_it_needs():
    bare = [openai_compatible.openai(ProviderSettings()), fal.provider(ProviderSettings(name="fal"))]
    catalogue = LoadedCatalogue([*bare, replicate.provider(ProviderSettings(api_key="k"))])
    lacking = {name: catalogue.lacks(name) for name in (*catalogue.providers(), "nobody")}
    assert lacking == {
        "fal": ("providers.fal.api_key",),
        "openai": ("providers.openai.api_key",),
        "replicate": (),
        "nobody": (),
    }


NO_FUNCTION = provider("paint", "image")


def test_an_entry_point_that_is_no_function_is_told_what_it_has_to_be():
    entry = EntryPoint("paint", f"{__name__}:NO_FUNCTION", GROUP)
    found = load({}, entries=[entry])
    assert found.broken["paint"].startswith(
        f"TypeError: {__name__}:NO_FUNCTION must be a function of the provider's settings, not Provider("
    )


class Panic(BaseException):
    """As bindings to Rust raise it."""


def exits(_settings):
    raise SystemExit("no graphics card")


def panics(_settings):
    raise Panic("initialized twice")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("exits", "RuntimeError: SystemExit: no graphics card"),
        ("panics", "RuntimeError: Panic: initialized twice"),
    ],
)
def test_a_plug_in_that_would_end_the_process_is_left_out(name, said):
    found = load({}, entries=[EntryPoint(name, f"{__name__}:{name}", GROUP)])
    assert found.broken == {name: said}
