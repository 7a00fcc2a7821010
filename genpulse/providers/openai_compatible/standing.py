"""Progress of jobs, which servers tell in one shape for videos and for responses."""

from genpulse.domain.json.value import JsonObject, JsonValue
from genpulse.provider import ModerationBlocked, Progress, ProviderError
from genpulse.provider.error_words import plain_text
from genpulse.provider.reported import without_status
from genpulse.provider.status_words import FIELD, Standing, StatusWords, shown
from genpulse.providers.openai_compatible.refusals import Refusals, failed_job, refused

WORDS = FIELD
"""`queued`, `in_progress`, `completed`, `failed`, `cancelled`, `incomplete` (read in the package `openai` 3.54.0),
and what other servers and gateways say in their place. An operator adds more in the options of a provider."""


def progress_of(job: JsonObject, job_id: str, words: StatusWords, refusals: Refusals) -> Progress:
    """The progress of a job in a server's answer.

    Raises `QuestionRefused` for an error in place of a job, and `AnswerUnusable` for an answer without a status.
    """
    word = job.get("status")
    match words.standing(word):
        case Standing.DONE:
            return Progress(1.0, done=True)
        case Standing.FAILED | Standing.CANCELED:
            return Progress(failed=failed_job(job, shown(word)))
        case Standing.RUNNING:
            return Progress(_fraction(job.get("progress")), shown(word))
    if error := refusals.within(job):
        return _of_error(job, job_id, error)
    if word is None:
        raise without_status(job)
    return Progress(_fraction(job.get("progress")), shown(word), odd=shown(word))


def _of_error(job: JsonObject, job_id: str, error: ProviderError) -> Progress:
    """An error is the job's where it stands in the job, or can be about nothing else."""
    if plain_text(job.get("id")) == job_id or isinstance(error, ModerationBlocked):
        return Progress(failed=failed_job(job, "failed"))
    raise refused(error)


def _fraction(percent: JsonValue) -> float | None:
    if isinstance(percent, bool) or not isinstance(percent, int | float) or not 0 <= percent <= 100:
        return None
    return percent / 100
