"""What a refusal means: `{"error": {"message", "type", "param", "code"}}`."""

from collections.abc import Mapping

from genpulse.domain.json_value import JsonValue
from genpulse.provider import (
    AuthenticationFailed,
    Charged,
    InvalidInput,
    ModerationBlocked,
    ProviderError,
    ProviderRejected,
    QuotaExhausted,
)
from genpulse.vendor import Explain, refusal
from genpulse.wire import AnswerLost, Reply

_MODERATION = frozenset({"moderation_blocked", "content_policy_violation", "content_filter", "contentFilter"})
_NO_CREDIT = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})


def explainer(name: str) -> Explain:
    """For the provider of this name, so that a message can say which key to set."""

    def explain(reply: Reply) -> ProviderError | None:
        if reply.status in {401, 403}:
            return AuthenticationFailed(
                f"The server does not take the key ({reply.excerpt()})."
                f" Set GENPULSE_PROVIDERS__{name.upper()}__API_KEY."
            )
        try:
            error = reply.document().get("error")
        except AnswerLost:
            return None
        return _of_error(reply, error) if isinstance(error, Mapping) else None

    return explain


def _of_error(reply: Reply, error: Mapping[str, JsonValue]) -> ProviderError | None:
    words, code = str(error.get("message") or ""), str(error.get("code") or error.get("type") or "")
    if code in _MODERATION:
        return ModerationBlocked(f"The request was refused: {words}")
    if code in _NO_CREDIT:
        return QuotaExhausted(f"The account has no credit: {words}")
    if reply.status in {400, 404, 422}:
        where = f"{error['param']}: " if error.get("param") else ""
        return InvalidInput(f"The server does not take the input: {where}{words}")
    return refusal(reply, words) if reply.status < 500 else None


def failed_job(error: JsonValue) -> ProviderError:
    """Why a job failed that the server had taken."""
    found = error if isinstance(error, Mapping) else {}
    code, words = str(found.get("code") or ""), str(found.get("message") or error or "it does not say why")
    if code in _MODERATION:
        return ModerationBlocked(f"The job was refused: {words}", charged=Charged.MAYBE)
    return ProviderRejected(f"The job failed ({code or 'no code'}): {words}", charged=Charged.MAYBE)
