"""Concurrency of deliveries per receiver."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from genpulse.domain.webhook_delivery import Answer

SEATS = 8
"""Messages that are sent to one origin at once, of which nothing is known yet."""

MOST_SEATS = 32
"""The same, to one that takes them quickly."""

QUICK_S = 1.0
SILENT_IN_A_ROW = 3
RESTS_S = (5.0, 30.0, 120.0, 300.0)
"""Seconds for which a silent origin is left alone: the first time, the second time …"""

_KNOWN = 1000


@dataclass(slots=True)
class _Receiver:
    sending: int = 0
    proven: int = 0
    silent: int = 0
    rests: int = 0
    rests_until: float = 0.0
    heard_at: float = 0.0


class ReceiverShares:
    """What one worker knows of origins.

    One that takes messages quickly gets more seats, a silent one a single seat, and after three times in a row in
    which it was silent it rests. `clock` is monotonic, in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: dict[str, _Receiver] = {}

    def room(self) -> Mapping[str, int]:
        """How many more messages may be sent to each that something is known of, 0 or more."""
        self._forget()
        return {origin: max(self._seats(each) - each.sending, 0) for origin, each in self._known.items()}

    @property
    def short_of_seats(self) -> bool:
        """Whether one has as many as it may, so that more may wait for it."""
        return any(each.sending and each.sending >= self._seats(each) for each in self._known.values())

    def begin(self, origin: str) -> None:
        """A message is being sent there."""
        self._known.setdefault(origin, _Receiver()).sending += 1

    def end(self, origin: str) -> None:
        """It is not any more, whatever came of it."""
        self._known[origin].sending -= 1

    def heard(self, origin: str, answer: Answer, took_s: float) -> float | None:
        """What came back after so many seconds; returns for how many the origin has to rest now, if it has."""
        known = self._known.setdefault(origin, _Receiver())
        known.heard_at = self._clock()
        if not answer.silent:
            known.silent = known.rests = 0
            known.proven = known.proven + 1 if answer.is_taken and took_s <= QUICK_S else 0
            return None
        known.proven = 0
        known.silent += 1
        if known.silent < SILENT_IN_A_ROW or self._clock() < known.rests_until:
            return None
        rest_s = RESTS_S[min(known.rests, len(RESTS_S) - 1)]
        known.rests += 1
        known.rests_until = self._clock() + rest_s
        return rest_s

    def _seats(self, receiver: _Receiver) -> int:
        if self._clock() < receiver.rests_until:
            return 0
        return 1 if receiver.silent else min(SEATS + receiver.proven, MOST_SEATS)

    def _forget(self) -> None:
        """Those with nothing that matters; and when there are very many, all that nothing is sent to."""
        now, many = self._clock(), len(self._known) > _KNOWN
        for origin, each in tuple(self._known.items()):
            plain = not each.silent and not each.proven
            old = now > max(each.rests_until, each.heard_at) + RESTS_S[-1] and not each.proven
            if not each.sending and now >= each.rests_until and (many or plain or old):
                del self._known[origin]
