"""What a file of models may say."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, model_validator

from genpulse.domain.catalogue.lifetime import Lifetime
from genpulse.domain.kind import FORM
from genpulse.domain.money.pricing.unit import Unit

_DIGITS = 12
_LARGEST = 10**20
Per: TypeAlias = Literal[1, 10, 100, 1_000, 10_000, 100_000, 1_000_000]


def _as_text(value: object) -> object:
    """A price list says `720` or `true` as well as `720p`."""
    return str(value).lower() if isinstance(value, bool | int | float) else value


def _as_written(value: object) -> object:
    """A float is the number that stands in the file; a truth value is none."""
    return str(value) if isinstance(value, float) else "true or false" if isinstance(value, bool) else value


def _as_day(value: object) -> object:
    """A number would be taken for seconds since 1970."""
    if isinstance(value, date) and type(value) is date:
        return value
    return value if isinstance(value, str) else f"{value}"


Day: TypeAlias = Annotated[date, BeforeValidator(_as_day)]
Amount: TypeAlias = Annotated[
    Decimal, BeforeValidator(_as_written), Field(ge=0, lt=10**9, max_digits=21, decimal_places=_DIGITS)
]
Count: TypeAlias = Annotated[Decimal, BeforeValidator(_as_written), Field(gt=0, le=10**9, decimal_places=6)]
Bound: TypeAlias = Annotated[Decimal, Field(ge=-_LARGEST, le=_LARGEST)]
Choice: TypeAlias = Annotated[int, Field(ge=-_LARGEST, le=_LARGEST)]
Word: TypeAlias = Annotated[str, BeforeValidator(_as_text), Field(min_length=1, max_length=200)]
PublicId: TypeAlias = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*/\S+$", max_length=200)]


class Strict(BaseModel):
    """Base: unknown names are refused, so that a typing error is not lost."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ExchangeDocument(Strict):
    """What one unit of the price's currency is in US dollars, and when that was so."""

    usd: Annotated[Decimal, BeforeValidator(_as_written), Field(gt=0, lt=10**6, decimal_places=_DIGITS)]
    date: Day
    source: str = Field(min_length=3, max_length=500)


class RateDocument(Strict):
    """One line of a price list."""

    amount: Amount
    when: dict[str, Word] = Field(min_length=1)


class BoundDocument(Strict):
    """How many tokens an order can take at most: by a number or a list (`of`), or by a text (`bytes_of`)."""

    each: Count = Decimal(1)
    of: str | None = Field(None, min_length=1)
    bytes_of: str | None = Field(None, min_length=1)

    @model_validator(mode="after")
    def _names_one_field(self) -> "BoundDocument":
        if (self.of is None) is (self.bytes_of is None):
            raise ValueError("it needs exactly one of of and bytes_of, each the name of a field of the input")
        return self


class PriceDocument(Strict):
    """A price: `amount`, `rates` or `tokens`, each for `per` units."""

    unit: Unit
    amount: Amount | None = None
    rates: list[RateDocument] | None = Field(None, min_length=1, max_length=1000)
    tokens: dict[str, Amount] | None = Field(None, min_length=1)
    per: Per = 1
    counted_by: str | None = None
    left_out: Count | None = None
    at_most: Count | dict[str, Count | BoundDocument] | None = None
    round_up_to: Count | None = None
    currency: str = Field("USD", pattern="^[A-Z]{3}$")
    exchange: ExchangeDocument | None = None
    date: Day
    source: str = Field(min_length=3, max_length=500)

    @model_validator(mode="after")
    def _holds_together(self) -> "PriceDocument":
        for fault in _price_faults(self):
            raise ValueError(fault)
        return self


def _price_faults(price: PriceDocument) -> list[str]:
    price_fields = [name for name in ("amount", "rates", "tokens") if getattr(price, name) is not None]
    by_token = price.unit is Unit.TOKEN
    needs_count = price.unit is Unit.CHARACTER or (price.unit is Unit.SECOND and price.at_most is None)
    fields = {frozenset(rate.when) for rate in price.rates or ()}
    lines = [tuple(sorted(rate.when.items())) for rate in price.rates or ()]
    listed = price.at_most if isinstance(price.at_most, dict) else {}
    unpriced = sorted(set(listed) - set(price.tokens or ()))
    rules = {
        "it needs exactly one of amount, rates and tokens": len(price_fields) != 1,
        "a price per token needs tokens, an amount for each kind; no other unit takes them": (
            by_token is not (price_fields == ["tokens"]) and len(price_fields) == 1
        ),
        f"the currency is {price.currency}, and exchange has to say what one of it is in US dollars": (
            price.currency != "USD" and price.exchange is None
        ),
        "exchange is for a currency that is not USD": price.currency == "USD" and price.exchange is not None,
        f"unit {price.unit} needs counted_by, the field of the input that is counted": (
            needs_count and price.counted_by is None
        ),
        f"unit {price.unit} takes no counted_by": (
            price.counted_by is not None and price.unit in {Unit.CALL, Unit.TOKEN, Unit.GPU_SECOND}
        ),
        "at_most is a number; only a price per token has one for each kind": bool(listed) and not by_token,
        "at_most of a price per token is a number, or a field, for each kind of token": (
            by_token and price.at_most is not None and not listed
        ),
        f"at_most names kinds of tokens without a price: {', '.join(unpriced)}": by_token and bool(unpriced),
        "all rates have to name the same fields in when": len(fields) > 1,
        "two rates have the same when": len(set(lines)) != len(lines),
    }
    return [text for text, is_wrong in rules.items() if is_wrong]


class ChargedOnDocument(Strict):
    """Whether the vendor charges for what it did not deliver."""

    failure: bool | None = None
    cancel: bool | None = None
    moderation: bool | None = None


class FieldDocument(Strict):
    """A field of an input."""

    type: Literal["string", "integer", "number", "boolean", "image", "video", "audio", "file"]
    title: str = ""
    description: str = ""
    required: bool = False
    default: JsonValue = None
    min: Bound | None = None
    max: Bound | None = None
    min_length: int | None = Field(None, ge=0)
    max_length: int | None = Field(None, ge=1)
    choices: list[str | Choice] | None = Field(None, min_length=1)
    max_items: int | None = Field(None, ge=1, le=1000)
    examples: list[JsonValue] | None = None


class InputDocument(Strict):
    """The fields of an input."""

    fields: dict[str, FieldDocument] = Field(min_length=1)


class EntryDocument(Strict):
    """A model, or what is different about one that there is."""

    id: str = Field(min_length=1, max_length=180)
    does: str | None = None
    title: str | None = None
    description: str | None = None
    kinds: list[Annotated[str, Field(pattern=f"^{FORM}$")]] | None = Field(None, min_length=1)
    input: str | InputDocument | None = None
    outputs: list[Literal["image", "video", "audio", "text", "file"]] | None = None
    price: PriceDocument | None = None
    charged_on: ChargedOnDocument | None = None
    limits: dict[str, Word] | None = None
    deprecated: Day | None = None
    sunset: Day | None = None
    successor: PublicId | None = None

    @model_validator(mode="after")
    def _ends_after_it_is_deprecated(self) -> "EntryDocument":
        Lifetime(self.deprecated, self.sunset)
        return self


class FileDocument(Strict):
    """A whole file: the models of one provider."""

    provider: str = Field(pattern="^[a-z][a-z0-9_]*$")
    models: list[dict[str, Any]] = Field(min_length=1, max_length=10_000)
