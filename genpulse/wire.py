"""Deprecated: `genpulse.provider.http` is where this is now. To be removed with version 0.3."""

import warnings

from genpulse.provider.http import *  # noqa: F403
from genpulse.provider.http import __all__ as __all__

warnings.warn("genpulse.wire is genpulse.provider.http now", DeprecationWarning, stacklevel=2)
