"""Files of models: what they say, and what is said of one that does not hold."""

from datetime import date
from decimal import Decimal

import pytest
import yaml

from genpulse.domain.catalogue.model_facts import ChargedOn
from genpulse.provider import Input
from genpulse.provider.catalogue import InputNames, ModelFile, ModelFilesInvalid, files_in
from genpulse.provider.catalogue.model_file import LARGEST_BYTES


class Words(Input):
    text: str


NAMES = InputNames({"Words": Words}, Input)
PRICE = {"unit": "image", "amount": 0.04, "date": date(2026, 11, 20), "source": "https://vendor.example/prices"}


def written(tmp_path, text, name="models.yaml"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def entries(tmp_path, *models, provider="vendor", names=NAMES):
    text = yaml.safe_dump({"provider": provider, "models": list(models)}, sort_keys=False)
    return ModelFile(written(tmp_path, text)).entries(names)


def priced(**changes):
    price = {name: value for name, value in {**PRICE, **changes}.items() if value is not ...}
    return {"id": "one", "price": price}


def test_a_whole_entry(tmp_path):
    (entry,) = entries(
        tmp_path,
        {
            "id": "owner/one",
            "does": "image",
            "title": "One",
            "kinds": ["text-to-image"],
            "input": "Words",
            "outputs": ["image"],
            "price": PRICE,
            "charged_on": {"failure": False, "moderation": True},
            "limits": {"images": 4},
            "deprecated": date(2026, 12, 1),
            "sunset": date(2027, 1, 1),
            "successor": "vendor/two",
        },
    )
    assert (entry.id, entry.does, entry.title, entry.kinds) == ("owner/one", "image", "One", ("text-to-image",))
    assert (entry.input, entry.line, entry.file) == (Words, 3, "models.yaml")
    assert entry.facts["charged_on"] == ChargedOn(failure=False, moderation=True)
    assert entry.facts["limits"] == {"images": "4"}
    assert entry.facts["sunset"] == date(2027, 1, 1)
    tariff = entry.facts["price"]
    assert tariff.at_most({}) == Decimal("0.04")
    assert (tariff.read_on, tariff.source) == (date(2026, 11, 20), PRICE["source"])


def test_what_an_entry_does_not_say_is_no_fact(tmp_path):
    (bare,) = entries(tmp_path, {"id": "one"})
    assert bare.facts == {}
    (nulled,) = entries(tmp_path, {"id": "one", "price": None, "sunset": None})
    assert nulled.facts == {"price": None, "sunset": None}


@pytest.mark.parametrize(
    ("changes", "usd"),
    [
        ({}, "0.04"),
        ({"amount": "0.0000000001"}, "0.0000000001"),
        ({"amount": 15, "per": 1000}, "0.015"),
        (
            {"amount": 0.1, "currency": "EUR", "exchange": {"usd": 1.08, "date": PRICE["date"], "source": "ECB"}},
            "0.108",
        ),
        (
            {"amount": ..., "rates": [{"when": {"hd": True}, "amount": 1}, {"when": {"hd": False}, "amount": 2}]},
            "2",
        ),
        ({"counted_by": "n", "left_out": 2, "at_most": 9}, "0.08"),
        ({"counted_by": "n", "at_most": 9}, "0.36"),
        ({"unit": "gpu_second", "at_most": 600}, "24.00"),
        (
            {"unit": "token", "amount": ..., "per": 1000000, "tokens": {"out": 32}, "at_most": {"out": 500}},
            "0.016",
        ),
    ],
)
def test_amounts_are_exact(tmp_path, changes, usd):
    (entry,) = entries(tmp_path, priced(**changes))
    assert entry.facts["price"].at_most({}) == Decimal(usd)


def test_the_version_changes_with_what_an_amount_depends_on(tmp_path):
    def version(**changes):
        (entry,) = entries(tmp_path, priced(**changes))
        return entry.facts["price"].version

    assert version() == version(source="https://elsewhere.example")
    others = [version(amount=0.05), version(unit="call"), version(per=10), version(date=date(2026, 11, 21))]
    assert len({version(), *others}) == 5
    assert version().startswith("2026-11-20-")


BAD = [
    (priced(unit="minute"), "one: price.unit", "expected one of call, image, second"),
    (priced(amount=-1), "one: price.amount", "expected an amount of 0 or more"),
    (priced(amount=True), "one: price.amount", "expected an amount"),
    (priced(amount="nan"), "one: price.amount", "expected an amount"),
    (priced(amount=1e12), "one: price.amount", "expected an amount"),
    (priced(date=...), "one: price.date", "it is missing; expected the day"),
    (priced(date=20261120), "one: price.date", "expected the day"),
    (priced(source=...), "one: price.source", "it is missing; expected where it stands"),
    (priced(source=""), "one: price.source", "expected where it stands"),
    (priced(amount=...), "one: price", "exactly one of amount, rates and tokens"),
    (priced(tokens={"out": 1}), "one: price", "exactly one of amount, rates and tokens"),
    (priced(unit="token"), "one: price", "a price per token needs tokens"),
    (priced(currency="EUR"), "one: price", "exchange has to say what one of it is in US dollars"),
    (priced(currency="euro"), "one: price.currency", "three capital letters"),
    (priced(exchange={"usd": 1, "date": PRICE["date"], "source": "ECB"}), "one: price", "not USD"),
    (priced(currency="EUR", exchange={"usd": 0, "date": PRICE["date"], "source": "ECB"}), "usd", "above 0"),
    (priced(unit="character"), "one: price", "needs counted_by"),
    (priced(unit="second"), "one: price", "needs counted_by"),
    (priced(unit="call", counted_by="n"), "one: price", "takes no counted_by"),
    (priced(per=7), "one: price.per", "for how many units"),
    (priced(at_most={"out": 1}), "one: price", "at_most is a number"),
    (priced(unit="token", amount=..., tokens={"a": 1}, at_most={"b": 1}), "one: price", "without a price: b"),
    (
        priced(amount=..., rates=[{"when": {"a": 1}, "amount": 1}, {"when": {"b": 1}, "amount": 1}]),
        "one: price",
        "the same fields",
    ),
    (
        priced(amount=..., rates=[{"when": {"a": 1}, "amount": 1}, {"when": {"a": "1"}, "amount": 2}]),
        "one: price",
        "the same when",
    ),
    (
        priced(unit="token", amount=..., tokens={"a": 1}, at_most={"a": {"each": 2}}),
        "at_most",
        "exactly one of of",
    ),
    (priced(prize=1), "one: price.prize", "There is no such field; there are unit, "),
    ({"id": "one", "kinds": ["Text to image"]}, "one: kinds.0", "should match pattern"),
    ({"id": "one", "input": "Word"}, "one: input", "no input is named 'Word'; vendor knows Words or fields"),
    ({"id": "one", "outputs": ["hologram"]}, "one: outputs.0", "expected a list of image"),
    ({"id": "one", "charged_on": {"failure": "perhaps"}}, "one: charged_on.failure", "boolean"),
    ({"id": "one", "sunset": "soon"}, "one: sunset", "expected a day such as"),
    ({"id": "one", "deprecated": date(2027, 1, 2), "sunset": date(2027, 1, 1)}, "one", "is before deprecated"),
    ({"id": "one", "successor": "two"}, "one: successor", "expected the id of a model"),
    ({"id": "one", "successor": "vendor/one"}, "successor", "vendor/one → vendor/one"),
    ({"title": "no id"}, "model 2: id", "it is missing; expected the model's name"),
    ({"id": "one", "input": {"fields": {}}}, "input.fields", "at least 1 item"),
]


@pytest.mark.parametrize(("model", "key", "said"), BAD, ids=range(len(BAD)))
def test_each_fault_is_told_with_its_line_its_key_and_what_is_expected(tmp_path, model, key, said):
    with pytest.raises(ModelFilesInvalid) as caught:
        entries(tmp_path, {"id": "good"}, model)
    (fault,) = caught.value.faults
    assert key in fault.key
    assert said in fault.detail
    assert fault.line is not None
    assert fault.line > 3
    assert str(fault).startswith(f"models.yaml line {fault.line}: ")


def test_all_faults_of_a_file_are_told_at_once(tmp_path):
    with pytest.raises(ModelFilesInvalid) as caught:
        entries(
            tmp_path, priced(unit="minute", amount=-1), {"id": "two", "input": "x"}, {"id": "good"}, {"id": "good"}
        )
    assert [fault.key for fault in caught.value.faults] == [
        "one: price.unit",
        "one: price.amount",
        "two: input",
        "good",
    ]
    assert "comes twice" in caught.value.faults[-1].detail


def test_models_that_succeed_each_other_in_a_circle(tmp_path):
    ring = [{"id": name, "successor": f"vendor/{after}"} for name, after in ("ab", "bc", "ca")]
    with pytest.raises(ModelFilesInvalid, match="vendor/a → vendor/b → vendor/c → vendor/a"):
        entries(tmp_path, *ring)


LAUGHS = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40))
HUGE = f"0x{'f' * 5000}"
FIELD = "provider: vendor\nmodels:\n- id: one\n  input:\n    fields:\n      a: "


@pytest.mark.parametrize(
    ("content", "said", "line"),
    [
        ("", "expected provider and models at its top", None),
        ("- a", "expected provider and models at its top", None),
        ("provider: vendor\nmodels: 7", "models", 2),
        ("provider: Vendor!\nmodels: [{id: x}]", "the name of a provider", 1),
        ("provider: vendor\nmodels: []", "a list of models", 2),
        ("provider: vendor\nmodels: [{id: x}]\nmore: 1", "There is no such field; there are provider, models", 3),
        ("provider: [", "it is no YAML", 2),
        ("provider: vendor\n\tmodels: x", "it is no YAML", 2),
        ("provider: vendor\nprovider: vendor\nmodels: [{id: x}]", "comes twice", 2),
        ("provider: vendor\nmodels:\n- id: x\n  id: y", "comes twice", 4),
        (LAUGHS, "make it too large", 20),
        ("a: &a [*a]", "too deep", 1),
        ("a: !!python/object/apply:os.system [true]", "it is no YAML", 1),
        ("[" * 100_000, "too deep", 1),
        ("- " * 100_000, "too deep", 1),
        ("a: 2026-13-45", "it is no YAML", None),
        (b"\xff\xfe\x00", "it is no UTF-8", None),
        ("a: \x00", "it is no YAML", None),
        ("provider: !!bool maybe", "a value is not what its tag says", None),
        ("provider: !!int ''", "a value is not what its tag says", None),
        ("provider: !!timestamp soon", "a value is not what its tag says", None),
        (f"provider: vendor\nmodels: [{{id: {HUGE}}}]", "model 1: id", 2),
        (f"{FIELD}{{type: integer, choices: [{HUGE}]}}", "one: input.fields.a.choices.0: Input should be", 6),
        (f"{FIELD}{{type: integer, max: 1e400}}", "one: input.fields.a.max: Input should be", 6),
        (f"{FIELD}{{type: number, min: -1e400}}", "one: input.fields.a.min: Input should be", 6),
        (b"#" * (LARGEST_BYTES + 1), "larger than 1 MiB", None),
    ],
    ids=range(26),
)
def test_what_is_no_file_of_models(tmp_path, content, said, line):
    with pytest.raises(ModelFilesInvalid) as caught:
        ModelFile(written(tmp_path, content)).entries(NAMES)
    (fault,) = caught.value.faults
    assert said in str(fault)
    if line is not None:
        assert fault.line == line


def test_a_price_may_be_written_once_for_several_models(tmp_path):
    price = "{unit: call, amount: 1, date: 2026-11-20, source: abc}"
    text = f"provider: vendor\nmodels:\n- id: a\n  price: &price {price}\n"
    first, second = ModelFile(written(tmp_path, f"{text}- id: b\n  price: {{<<: *price, amount: 2}}\n")).entries(
        NAMES
    )
    assert [entry.facts["price"].at_most({}) for entry in (first, second)] == [1, 2]


def test_folders_that_cannot_be_read(tmp_path):
    file = written(tmp_path, "x")
    for folder, said in ((tmp_path / "none", "there is no such folder"), (file, "it is no folder")):
        with pytest.raises(ModelFilesInvalid, match=said):
            files_in(folder)
    (tmp_path / "folder.yaml").mkdir()
    with pytest.raises(ModelFilesInvalid) as caught:
        files_in(tmp_path)
    assert [fault.file for fault in caught.value.faults] == ["folder.yaml", "models.yaml"]


def test_a_folder_has_files_of_yaml_alone(tmp_path):
    for name in ("b.yml", "a.yaml", "notes.txt", "c.yaml~"):
        written(tmp_path, "provider: vendor\nmodels: [{id: x}]", name)
    assert [file.name for file in files_in(tmp_path)] == ["a.yaml", "b.yml"]
