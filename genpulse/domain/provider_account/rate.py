"""Rate limits."""

import math
from dataclasses import dataclass, replace

UNITS_S = {"s": 1.0, "min": 60.0, "h": 3600.0}
PATTERN = r"^[1-9]\d*/(s|min|h)$"
_AT_ONCE_S = 0.1


@dataclass(frozen=True, slots=True)
class Pace:
    """Whether something may happen now: `wait_s` seconds until it may, 0 where it does.

    `remaining` is how many more may follow at once, and `full_s` in how many seconds that is as many as ever.
    """

    wait_s: float = 0.0
    remaining: int = 0
    full_s: float = 0.0


def whole_s(seconds: float) -> int:
    """Rounded up to whole seconds, but for the fraction of a millisecond that sums of moments are off by."""
    return math.ceil(round(seconds, 3))


@dataclass(frozen=True, slots=True)
class Rate:
    """`count` (1 or more) times in `per_s` seconds, evenly spread, or `burst` (1 or more) of them together."""

    count: int
    per_s: float
    burst: int | None = None

    @classmethod
    def parse(cls, text: str) -> "Rate":
        """From a text such as `5/s`, `60/min` or `1000/h`. Raises `ValueError` for any other."""
        count, _, unit = text.partition("/")
        if unit not in UNITS_S or not count.isascii() or not count.isdigit() or int(count) < 1:
            raise ValueError(
                f"the rate {text!r} is not a number above 0 and a unit, such as 5/s, 60/min or 1000/h"
            )
        return cls(int(count), UNITS_S[unit])

    def shared_by(self, processes: int) -> "Rate":
        """What each of so many processes may do, so that all of them together stay within the rate."""
        return replace(self, per_s=self.per_s * max(processes, 1))

    def in_bursts(self) -> "Rate":
        """The same for those who may use up what they have saved: all of it together, then as it comes back."""
        return replace(self, burst=self.count)

    @property
    def interval_s(self) -> float:
        """Seconds from one to the next."""
        return self.per_s / self.count

    @property
    def at_once(self) -> int:
        """How many may come together: the burst, else what is due within a tenth of a second, at least one."""
        if self.burst is not None:
            return self.burst
        return max(1, round(_AT_ONCE_S / self.interval_s))

    def __str__(self) -> str:
        unit = next((name for name, seconds in UNITS_S.items() if seconds == self.per_s), f"{self.per_s:g} s")
        return f"{self.count}/{unit}"
