"""Deprecated: `genpulse.provider.account` is where this is now. To be removed with version 0.3."""

import warnings

from genpulse.provider.account import *  # noqa: F403
from genpulse.provider.account import __all__ as __all__

warnings.warn("genpulse.vendor is genpulse.provider.account now", DeprecationWarning, stacklevel=2)
