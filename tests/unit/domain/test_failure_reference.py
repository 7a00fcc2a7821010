"""The reference of failures is complete, and says what the errors say."""

import inspect
import re
from pathlib import Path

import pytest

from genpulse.domain import errors
from genpulse.domain.errors import JobOverdue, ProviderError, QuestionRefused
from genpulse.domain.errors.responsibility import ACTOR_OF, codes_of
from genpulse.domain.failure import Actor, FailureCode
from genpulse.domain.warning import WarningCode

PAGE = Path(__file__).parents[3] / "docs/reference/failures.md"
ROWS = {
    row[0].strip("`"): row[1:]
    for line in PAGE.read_text().splitlines()
    if (row := [cell.strip() for cell in line.strip("|").split(" | ")])[0].startswith("`")
}
KINDS = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, ProviderError) and kind not in {ProviderError, QuestionRefused, JobOverdue}
]


def test_every_code_is_there():
    codes = {*FailureCode, *WarningCode}
    assert {name for name in ROWS if re.fullmatch(r"[a-z_]+", name)} - {"code"} == {code.value for code in codes}


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_says_what_the_error_says(kind):
    failure = kind("words").failure
    _, retryable, who, charged = ROWS[failure.code.value]
    assert (retryable == "yes", who) == (failure.retryable, failure.who_must_act.value)
    assert failure.charged.value in charged or failure.code is FailureCode.OUTPUT_UNAVAILABLE


def test_who_has_to_act_is_known_of_every_code():
    assert {code.value: actor.value for code, actor in ACTOR_OF.items()} == {
        code.value: ROWS[code.value][2] for code in FailureCode
    }
    assert {code for actor in Actor for code in codes_of(actor)} == set(FailureCode)
