"""What is wrong with a file of models, and where."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from genpulse.domain.errors import GenPulseError
from genpulse.domain.text.storable import showable_line

_LONGEST = 400


@dataclass(frozen=True, slots=True)
class ModelFault:
    """One thing that is wrong. `key` is where in the entry, such as `gpt-image-2: price.unit`.

    `line` counts from 1. `detail` says what was found, and what was expected.
    """

    file: str
    detail: str
    line: int | None = None
    key: str = ""

    @property
    def place(self) -> str:
        """The file, and the line where it is known."""
        return f"{self.file} line {self.line}" if self.line else self.file

    def __str__(self) -> str:
        return f"{self.place}: {f'{self.key}: ' if self.key else ''}{self.detail}"


class ModelFilesInvalid(GenPulseError):
    """Files of models that do not hold; the message has every fault, a line each."""

    def __init__(self, faults: Sequence[ModelFault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in faults))


EXPECTED: Mapping[str, str] = {
    "unit": "one of call, image, second, character, token, gpu_second",
    "amount": "an amount of 0 or more, with 12 decimal places at most, such as 0.04",
    "tokens": "an amount of 0 or more for each kind of token, such as {input: 5, output: 32}",
    "date": "the day on which the price was looked up, such as 2026-11-29",
    "source": "where it stands, such as the address of the vendor's price list",
    "usd": "what one unit of the currency is in US dollars, above 0, such as 1.08",
    "exchange": "usd, date and source of the exchange rate",
    "currency": "three capital letters, such as USD or EUR",
    "rates": "a list of lines such as {when: {size: 1024x1024}, amount: 0.04}",
    "when": "values by fields of the input, such as {size: 1024x1024, quality: high}",
    "per": "for how many units the amounts are: 1, 10, 100, 1000, 10000, 100000 or 1000000",
    "counted_by": "the name of the input's field that is counted",
    "at_most": "a number above 0; of a price per token one for each kind, or {of: field} or {bytes_of: field}",
    "kinds": "kinds of work such as text-to-image",
    "outputs": "a list of image, video, audio, text, file",
    "deprecated": "a day such as 2026-11-29",
    "sunset": "a day such as 2027-03-31",
    "successor": "the id of a model, such as openai/gpt-image-2",
    "id": "the model's name at its provider",
    "provider": "the name of a provider, such as fal",
    "models": "a list of models",
    "type": "one of string, integer, number, boolean, image, video, audio, file",
}
"""What the keys of a file take."""


def detail_of(key: str, message: str) -> str:
    """What is wrong at a key, in one line, with what it takes."""
    expected = EXPECTED.get(key)
    text = showable_line(message.removeprefix("Value error, "))[:_LONGEST]
    return f"{text}; expected {expected}" if expected else text
