"""Classifies a server's refusals and errors."""

import re
from dataclasses import dataclass

from genpulse.domain.json.value import JsonObject
from genpulse.provider import (
    Charged,
    FailureCode,
    InvalidInput,
    ModerationBlocked,
    ProviderError,
    ProviderRejected,
    QuestionRefused,
    QuotaExhausted,
)
from genpulse.provider.account import Access, refusal
from genpulse.provider.error_words import ErrorWords, error_in, error_words, refusal_in
from genpulse.provider.http import AnswerLost, AnswerUnusable, Reply
from genpulse.provider.job_id import taken_as
from genpulse.provider.refusal_words import says_moderated, says_no_credit, says_no_model

_MODERATION = re.compile(r"moderation_blocked|content_?(policy|filter|management)|unsafe_request", re.IGNORECASE)
_KEY = re.compile(r"invalid_api_key|invalid_authentication|authentication_error|unauthorized", re.IGNORECASE)
_INPUT = re.compile(r"invalid_(value|request|type|prompt|image)|bad_?request|missing_required", re.IGNORECASE)
_OF_THE_ACCOUNT = frozenset({FailureCode.AUTHENTICATION_FAILED, FailureCode.QUOTA_EXHAUSTED})


@dataclass(frozen=True, slots=True)
class Refusals:
    """Tells the refusals of a server apart. `name` is the provider's, so that a message says what to set."""

    name: str

    def explain(self, reply: Reply) -> ProviderError | None:
        """Classify a refusal by its words, then by its status."""
        reason = _error_words(reply)
        if cause := self._cause(reason, Charged.NO):
            return cause
        if denied := self._access.denied(reply.status, reason.words, reason.everything):
            return denied
        match reply.status:
            case 404:
                return ProviderRejected(
                    f"The server has no such address or model ({reason.words})."
                    f" Are providers.{self.name}.base_url and providers.{self.name}.models right?"
                )
            case 400 | 422:
                return _bad_input(reason, Charged.NO)
            case _:
                return refusal(reply, reason.words)

    def within(self, answer: JsonObject) -> ProviderError | None:
        """The error that an answer with status 200 holds; None where it holds none.

        It does not prove that nothing was made: it may be charged, and is no reason to order again.
        """
        reason = error_in(answer)
        if reason is None:
            return None
        if cause := self._cause(reason, Charged.MAYBE):
            return cause
        if any(_KEY.search(name) for name in reason.names):
            return self._access.wrong_key(reason.words, charged=Charged.MAYBE)
        if reason.param or any(_INPUT.search(name) for name in reason.names):
            return _bad_input(reason, Charged.MAYBE)
        return ProviderRejected(f"The server answered with an error: {reason.words}", charged=Charged.MAYBE)

    def job_id_in(self, reply: Reply) -> str:
        """The id of the job that an order was taken as. Raises the error that stands there, `AnswerUnusable`."""
        answer = reply.document()
        if not answer.get("id") and (error := self.within(answer)):
            raise error
        return taken_as(answer.get("id"), reply.excerpt())

    def look_for(self, reply: Reply) -> None:
        """Raises `QuestionRefused` where the answer to a question is an error, whatever its status is."""
        try:
            error = self.within(reply.document())
        except AnswerUnusable:
            return
        if error is not None:
            raise refused(error)

    def _cause(self, reason: ErrorWords, charged: Charged) -> ProviderError | None:
        if _is_moderation(reason):
            return ModerationBlocked(f"The request was refused: {reason.words}", charged=charged)
        if says_no_credit(reason.everything):
            return QuotaExhausted(f"The account has no credit: {reason.words}", charged=charged)
        if reason.param == "model" or (not reason.param and says_no_model(reason.everything)):
            return ProviderRejected(
                f"The server does not know the model, or does not serve it ({reason.words})."
                f" Models are named in providers.{self.name}.models.",
                charged=charged,
            )
        return None

    @property
    def _access(self) -> Access:
        return Access("The server", self.name)


def refused(error: ProviderError) -> QuestionRefused:
    """An error in place of the answer to a question."""
    code = error.failure.code
    because = code if code in _OF_THE_ACCOUNT else FailureCode.PROVIDER_REJECTED
    return QuestionRefused(error.message, because=because)


def _error_words(reply: Reply) -> ErrorWords:
    excerpt = ErrorWords(reply.excerpt() or "(no words)")
    try:
        document = reply.json()
    except AnswerLost:
        return excerpt
    return refusal_in(document) if isinstance(document, dict) else excerpt


def _is_moderation(reason: ErrorWords) -> bool:
    return any(_MODERATION.search(name) for name in reason.names) or says_moderated(reason.words)


def _bad_input(reason: ErrorWords, charged: Charged) -> ProviderError:
    where = f"{reason.param}: " if reason.param else ""
    return InvalidInput(f"The server does not take the input: {where}{reason.words}", charged=charged)


def failed_job(job: JsonObject, word: str) -> ProviderError:
    """Why a job failed that the server had taken: its `error`, or what stands for one, or its status word."""
    reason = error_words(job.get("error") or job.get("incomplete_details") or job.get("last_error") or word)
    if _is_moderation(reason):
        return ModerationBlocked(f"The job was refused: {reason.words}", charged=Charged.MAYBE)
    code = ", ".join(reason.names) or "no code"
    return ProviderRejected(f"The job failed ({code}): {reason.words}", charged=Charged.MAYBE)
