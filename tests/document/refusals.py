"""A check beside those of schemathesis: what fits the document is refused only for what no schema can say.

The configuration lets some calls answer 400 or 422 to bodies that fit their schema. Without this, a rule that the
schema forgets to tell would hide behind that.
"""

import re

import schemathesis

MODEL_S_OWN = re.compile(r"(/tasks/\d+)?/(kind|input(/.*)?)", re.DOTALL)
"""Where a body does not fit the model that it names; what fits that is told by `/v1/models`."""
KNOWN_HERE_ALONE = {
    "unknown_model",
    "unknown_kind",
    "idempotency_key_reuse",
    "invalid_cursor",
    "range_not_satisfiable",
}


@schemathesis.check
def refuses_only_what_no_schema_can_say(ctx, response, case):
    if (
        case.meta is None
        or not case.meta.generation.mode.is_positive
        or response.status_code not in {400, 416, 422}
    ):
        return
    problem = response.json()
    places = [place.get("pointer", "") for place in problem.get("errors", ())]
    is_model_s_own = problem["code"] == "invalid_input" and places and all(map(MODEL_S_OWN.fullmatch, places))
    if not is_model_s_own and problem["code"] not in KNOWN_HERE_ALONE:
        raise AssertionError(f"{case.operation.label} refuses what fits its schema: {response.text}")
