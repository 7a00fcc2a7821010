"""Deprecated name of `genpulse.provider.error_words`, for plug-ins of the version before."""

import warnings

from genpulse.provider.error_words import ErrorWords as Said
from genpulse.provider.error_words import error_in, plain_text, refusal_in
from genpulse.provider.error_words import error_words as said_of

__all__ = ["Said", "error_in", "plain_text", "refusal_in", "said_of"]

warnings.warn(
    "genpulse.provider.said is called genpulse.provider.error_words now: import it from there.",
    DeprecationWarning,
    stacklevel=2,
)
