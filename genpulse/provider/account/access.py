"""Refusals that are about the caller's access: the key does not fit, or the account may not do this."""

from dataclasses import dataclass

from genpulse.domain.errors import (
    AuthenticationFailed,
    InvalidInput,
    ProviderError,
    ProviderRejected,
    QuotaExhausted,
)
from genpulse.domain.failure import Charged
from genpulse.provider.account.refusals import refusal
from genpulse.provider.http import Reply
from genpulse.provider.refusal_words import names_key, says_no_credit


@dataclass(frozen=True, slots=True)
class Access:
    """Access to one vendor. `vendor` begins its messages, `provider` is the name in the settings."""

    vendor: str
    provider: str

    def explain(self, reply: Reply, words: str, missing: str) -> ProviderError:
        """Classify a refusal: no credit, `missing` at the vendor (404), a wrong key, else by its status."""
        if says_no_credit(words):
            return QuotaExhausted(f"The account at {self.vendor} has no credit: {words}")
        if reply.status == 404:
            return InvalidInput(f"{self.vendor} has no such {missing}: {words}")
        return self.denied(reply.status, words) or refusal(reply, words)

    def denied(self, status: int, words: str, everything: str | None = None) -> ProviderError | None:
        """Explain 401 and 403; None for any other status. A 403 is about the key only where its words name it.

        `everything` is all that the vendor said, where `words` is a part of it.
        """
        if status == 401 or (status == 403 and names_key(everything or words)):
            return self.wrong_key(words)
        return ProviderRejected(f"{self.vendor} does not allow this: {words}") if status == 403 else None

    def wrong_key(self, words: str, *, charged: Charged = Charged.NO) -> AuthenticationFailed:
        """The key is not taken, and which variable sets it."""
        variable = f"GENPULSE_PROVIDERS__{self.provider.upper()}__API_KEY"
        return AuthenticationFailed(
            f"{self.vendor} does not take the key ({words}). Set {variable}.", charged=charged
        )
