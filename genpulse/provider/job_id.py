"""The id under which a vendor has taken a job: checked when it comes, quoted when it is sent back."""

from urllib.parse import quote

from genpulse.domain.json.value import JsonValue
from genpulse.provider.http import AnswerUnusable


def taken_as(value: JsonValue, answer: str) -> str:
    """The id, as the vendor gave it; a number as its digits. `answer`: the beginning of its answer.

    Raises `AnswerUnusable` for what is neither text nor a whole number, is empty, or cannot stand in an address:
    the order was taken perhaps, and nobody can ask about it.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str) or not value.strip() or value in {".", ".."}:
        raise AnswerUnusable(f"The answer names no job that could be asked about: {answer}")
    return value


def in_path(job_id: str) -> str:
    """The id as one segment of a path: `a#b/c d+e` is `a%23b%2Fc%20d%2Be`."""
    return quote(job_id, safe="", errors="replace")
