"""Deprecated: `genpulse.provider.error_words` is where this is now. To be removed with version 0.3."""

import warnings

from genpulse.provider.error_words import ErrorWords as Said
from genpulse.provider.error_words import error_in, plain_text, refusal_in
from genpulse.provider.error_words import error_words as said_of

__all__ = ["Said", "error_in", "plain_text", "refusal_in", "said_of"]

warnings.warn("genpulse.provider.said is genpulse.provider.error_words now", DeprecationWarning, stacklevel=2)
