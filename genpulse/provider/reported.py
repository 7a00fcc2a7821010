"""An error that comes as a success: in place of a job, of its standing, or of its result."""

from genpulse.domain.errors import ModerationBlocked, ProviderError, ProviderRejected, QuotaExhausted
from genpulse.domain.failure import Charged
from genpulse.domain.json.value import JsonObject, JsonValue
from genpulse.provider.error_words import error_in, error_words
from genpulse.provider.http import AnswerUnusable, Reply
from genpulse.provider.job_id import taken_as
from genpulse.provider.refusal_words import says_moderated, says_no_credit


def ordered_as(reply: Reply, field: str) -> str:
    """The id of the job that an order was taken as, which stands in this field.

    Raises the error that stands there in its place, which may be charged all the same, and `AnswerUnusable`.
    """
    answer = reply.document()
    if not answer.get(field) and (reason := error_in(answer)):
        if says_no_credit(reason.everything):
            raise QuotaExhausted(f"The account has no credit: {reason.words}", charged=Charged.MAYBE)
        raise reported(answer)
    return taken_as(answer.get(field), reply.excerpt())


def without_status(job: JsonObject) -> AnswerUnusable:
    """An answer about a job that tells no status: with its words, where it has some."""
    reason = error_in(job)
    return AnswerUnusable(f"The answer tells no status of the job{f': {reason.words}' if reason else '.'}")


def reported(error: JsonValue) -> ProviderError:
    """Classify an error that came with a success: the model has failed, which may be charged."""
    reason = error_words(error)
    if says_moderated(reason.everything):
        return ModerationBlocked(f"The request was refused: {reason.words}", charged=Charged.MAYBE)
    return ProviderRejected(f"The provider answered with an error: {reason.words}", charged=Charged.MAYBE)
