"""Deprecated: `genpulse.provider.passthrough` is where this is now. To be removed with version 0.3."""

import warnings

from genpulse.provider.passthrough import *  # noqa: F403
from genpulse.provider.passthrough import __all__ as __all__

warnings.warn("genpulse.freeform is genpulse.provider.passthrough now", DeprecationWarning, stacklevel=2)
