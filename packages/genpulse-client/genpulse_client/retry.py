"""When a call that failed is sent again."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from genpulse_client.errors import ApiRefused, ApiUnreachable, GenPulseError
from genpulse_client.request import Request

_BUSY = frozenset({429, 503})
_LOST_BEHIND_A_PROXY = frozenset({502, 504})
_FIRST_S = 0.25
_LONGEST_S = 8.0


@dataclass(frozen=True, slots=True)
class RetryLimits:
    """For how many seconds a call is sent again in all; 0 is never.

    `busy_s`: while the API answers 429 or 503, as it asks by `Retry-After`. `unreachable_s`: from the moment in
    which the connection is lost.
    """

    busy_s: float = 60.0
    unreachable_s: float = 15.0


class Retries:
    """Those of one call. `begin_anew` forgets its failures, once something came of it."""

    def __init__(
        self, request: Request, limits: RetryLimits, *, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._request = request
        self._limits = limits
        self._now = now
        self._failures = 0
        self._busy_since: float | None = None
        self._lost_since: float | None = None

    def begin_anew(self) -> None:
        """The call works."""
        self._failures, self._busy_since, self._lost_since = 0, None, None

    def pause_s(self, error: GenPulseError) -> float | None:
        """Seconds until the call is sent again; None where it is not."""
        self._failures += 1
        usual = min(_FIRST_S * 2 ** (self._failures - 1), _LONGEST_S)
        usual *= random.uniform(0.8, 1.2)  # noqa: S311 - so that many clients do not come at once
        if isinstance(error, ApiUnreachable):
            return self._after_loss(usual) if self._may_follow(error) else None
        if isinstance(error, ApiRefused) and self._is_passing(error):
            return self._while_busy(usual if error.retry_after_s is None else error.retry_after_s)
        return None

    def _may_follow(self, error: ApiUnreachable) -> bool:
        return self._request.repeatable if error.sent else self._request.persistent

    def _is_passing(self, error: ApiRefused) -> bool:
        """A 429 is said before anything was done; of the others nobody knows."""
        if error.status == 429:
            return True
        return self._request.repeatable and (error.status in _BUSY or error.status in _LOST_BEHIND_A_PROXY)

    def _after_loss(self, pause_s: float) -> float | None:
        now = self._now()
        self._lost_since = now if self._lost_since is None else self._lost_since
        return _within(pause_s, self._limits.unreachable_s - (now - self._lost_since))

    def _while_busy(self, pause_s: float) -> float | None:
        now = self._now()
        self._busy_since = now if self._busy_since is None else self._busy_since
        return _within(pause_s, self._limits.busy_s - (now - self._busy_since))


def _within(pause_s: float, left_s: float) -> float | None:
    return pause_s if pause_s < left_s else None
