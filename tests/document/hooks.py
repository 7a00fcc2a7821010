"""What schemathesis is told beside its configuration: orders that can be run, and one more check."""

import gc
import json
import re
import zlib
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import schemathesis

from genpulse.lifecycle.submission.order_checks import LATEST_RUN

RUNNABLE = ({}, {"output_bytes": 64}, {"fail": "permanent"})
"""Inputs of the model `sandbox/noop`."""
SUBMITTING = {"submit_task", "submit_batch"}
MODEL_S_OWN = re.compile(r"(/tasks/\d+)?/(kind|input(/.*)?)", re.DOTALL)
"""Where a body does not fit the model that it names; what fits that is told by `/v1/models`."""
KEYS_AND_TIMES = re.compile(r"/tasks/\d+/idempotency_key|(/tasks/\d+)?/(run_at|model)|/(tasks|models)/\d+")
"""Where a key comes twice in a batch or beside one for the whole, a time is too far ahead of the clock, or an
order has neither a model nor a kind; and where a client token names tasks or models that are not there."""
BEYOND_A_SCHEMA = {
    *{("key", ""), ("", "/filter/key"), ("", "/filter"), ("from", ""), ("group_by", "")},
    ("", "/max_bytes"),
    ("", "/limits/limit_by"),
    *{("", "/models"), ("", "/max_tasks"), ("", "/max_usd"), ("", "/input"), ("", "/input_fields")},
    *{("", "/metadata"), ("", "/webhook_url"), ("", "/uploads")},
}
"""Where a key may be named that there is not, a filter needs `all`, one word has to go with another or without it,
and a setting says how large a file may be."""
KNOWN_HERE_ALONE = {
    "unknown_model",
    "unknown_kind",
    "unknown_route",
    "idempotency_key_reuse",
    "invalid_cursor",
    "invalid_confirm",
    "range_not_satisfiable",
}

# A tenth of its time would go into looking for garbage where there is none.
gc.freeze()
gc.set_threshold(100_000, 50, 50)


@schemathesis.hook
def before_call(context, case, kwargs):
    """Let two of three orders that fit their schema name a model that there is, with an input that it takes.

    What is drawn for a model and its input is nearly never either, and no other word of the order would be read.
    """
    if not is_positive(case) or case.operation.definition.raw.get("operationId") not in SUBMITTING:
        return
    chance = zlib.crc32(json.dumps(case.body, sort_keys=True).encode())
    if chance % 3:
        runnable = {"model": "sandbox/noop", "kind": "noop", "input": RUNNABLE[chance // 3 % len(RUNNABLE)]}
        orders = [{**due(order), **runnable} for order in case.body.get("tasks", [case.body])]
        case.body = {"tasks": orders} if "tasks" in case.body else orders[0]


def due(order):
    """The same, but one that would be put off may begin: whoever reads its events reads them to the end."""
    with suppress(KeyError, TypeError, ValueError):
        ahead = datetime.fromisoformat(order["run_at"]) - datetime.now(UTC)
        if timedelta(0) < ahead < LATEST_RUN:
            return {**order, "run_at": f"2000{order['run_at'][4:]}"}
    return order


@schemathesis.check
def refuses_only_what_no_schema_can_say(context, response, case):
    """What fits the document is refused only for what the service alone knows.

    The configuration lets some calls answer 400 or 422 to bodies that fit their schema. Without this, a rule that
    the schema forgets to tell would hide behind that.
    """
    if not is_positive(case) or response.status_code not in {400, 416, 422}:
        return
    problem = response.json()
    places = [place.get("pointer", "") for place in problem.get("errors", ())]
    is_invalid = problem["code"] == "invalid_input" and places
    is_model_s_own = is_invalid and all(map(MODEL_S_OWN.fullmatch, places))
    is_about_keys_or_times = is_invalid and all(map(KEYS_AND_TIMES.fullmatch, places))
    named = {(place.get("parameter", ""), place.get("pointer", "")) for place in problem.get("errors", ())}
    goes_beyond = bool(named) and named <= BEYOND_A_SCHEMA
    is_known = is_model_s_own or is_about_keys_or_times or goes_beyond
    if not is_known and problem["code"] not in KNOWN_HERE_ALONE:
        raise AssertionError(f"{case.operation.label} refuses what fits its schema: {response.text}")


def is_positive(case):
    """Whether the case was drawn to fit the document."""
    return case.meta is not None and case.meta.generation.mode.is_positive
