"""Errors in Replicate's words."""

import json
from decimal import Decimal
from uuid import uuid4

import pytest

from genpulse.api.error_status import STATUS
from genpulse.api.errors import AuthenticationRequired, Internal, TooManyRequests
from genpulse.dialects.replicate.models.versions import UnknownVersion
from genpulse.dialects.replicate.refusals import refuse
from genpulse.domain.errors import (
    AssetInUse,
    BadInput,
    BudgetExceeded,
    DatabaseUnavailable,
    IdempotencyKeyReuse,
    KeyLimitExceeded,
    Problem,
    Refused,
    TaskDeleted,
    UnknownTask,
)
from genpulse.domain.money.allowance import ENVIRONMENT, LimitUse, Measure, Period
from genpulse.domain.provider_account.rate import Rate

NO_TOKEN = "You did not pass a valid authentication token."
NO_CREDIT = "You have insufficient credit to run this model."
SCOPE = {"type": "http", "path": "/replicate/v1/predictions", "method": "POST"}


def use(measure: Measure) -> LimitUse:
    return LimitUse(ENVIRONMENT, measure, Period.DAY, Decimal(1), Decimal(1), None)


@pytest.mark.parametrize(
    ("error", "status", "title", "detail"),
    [
        (
            AuthenticationRequired("Who?"),
            401,
            "Unauthenticated",
            f"{NO_TOKEN} Who?",
        ),
        (
            BudgetExceeded("Much.", 9),
            402,
            "Insufficient credit",
            f"{NO_CREDIT} Much.",
        ),
        (KeyLimitExceeded("Much.", 9, use(Measure.USD)), 402, "Insufficient credit", None),
        (
            KeyLimitExceeded("Many.", 30, use(Measure.TASKS)),
            429,
            "Too many requests",
            "Request was throttled. Your rate limit resets in ~30s. Many.",
        ),
        (UnknownTask("x"), 404, "Not found", "There is no task x."),
        (UnknownVersion("abc"), 422, "Invalid version or not permitted", None),
        (IdempotencyKeyReuse("k"), 422, "Idempotency key reuse", None),
        (DatabaseUnavailable("Away."), 503, "Service unavailable", "Away."),
        (Internal("Oh."), 500, "Internal Server Error", "Oh."),
    ],
)
def test_words_and_statuses(error, status, title, detail):
    answer = refuse(error, SCOPE)
    document = json.loads(answer.body)
    assert (answer.status_code, document["status"], document["title"]) == (status, status, title)
    assert detail is None or document["detail"] == detail
    assert document["code"] == error.code
    assert document["instance"] == SCOPE["path"]
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_a_throttled_call_says_when_to_come_again():
    answer = refuse(TooManyRequests(Rate(1, 60.0), 29.5), SCOPE)
    assert answer.headers["Retry-After"] == "30"
    assert json.loads(answer.body)["detail"].startswith("Request was throttled. Your rate limit resets in ~30s.")


def test_fields_that_do_not_fit_are_named_as_they_stand_in_the_body():
    problems = [Problem("/input/a~1b/0", "it is odd"), Problem("/webhook_url", "it is away")]
    document = json.loads(refuse(BadInput("It does not fit.", problems), SCOPE).body)
    assert document["detail"] == "It does not fit.\n- input.a/b.0: it is odd\n- webhook: it is away"
    assert [field["field"] for field in document["invalid_fields"]] == ["input.a/b.0", "webhook"]


@pytest.mark.parametrize("kind", [kind for kind, status in STATUS.items() if status == 409])
def test_nothing_is_a_conflict_which_clients_would_send_again(kind):
    error = kind.__new__(kind)
    assert issubclass(kind, Refused)
    assert refuse(error, SCOPE).status_code == 422


def test_conflicts_are_titled_by_what_they_are():
    errors = AssetInUse(uuid4(), uuid4()), TaskDeleted("k")
    titles = [json.loads(refuse(error, SCOPE).body)["title"] for error in errors]
    assert titles == ["Asset in use", "Task deleted"]
