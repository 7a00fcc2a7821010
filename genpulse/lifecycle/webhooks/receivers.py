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

_MOST_RECEIVERS = 1000


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
        self._receivers: dict[str, _Receiver] = {}

    def room(self) -> Mapping[str, int]:
        """How many more messages may be sent to each that something is known of, 0 or more."""
        self._forget()
        return {origin: max(self._seats(each) - each.sending, 0) for origin, each in self._receivers.items()}

    @property
    def short_of_seats(self) -> bool:
        """Whether one has as many as it may, so that more may wait for it."""
        return any(each.sending and each.sending >= self._seats(each) for each in self._receivers.values())

    def begin(self, origin: str) -> None:
        """A message is being sent there."""
        self._receivers.setdefault(origin, _Receiver()).sending += 1

    def end(self, origin: str) -> None:
        """It is not any more, whatever came of it."""
        self._receivers[origin].sending -= 1

    def note_answer(self, origin: str, answer: Answer, took_s: float) -> float | None:
        """What came back after so many seconds; returns for how many the origin has to rest now, if it has."""
        receiver = self._receivers.setdefault(origin, _Receiver())
        receiver.heard_at = self._clock()
        if not answer.silent:
            receiver.silent = receiver.rests = 0
            receiver.proven = receiver.proven + 1 if answer.is_taken and took_s <= QUICK_S else 0
            return None
        receiver.proven = 0
        receiver.silent += 1
        if receiver.silent < SILENT_IN_A_ROW or self._clock() < receiver.rests_until:
            return None
        rest_s = RESTS_S[min(receiver.rests, len(RESTS_S) - 1)]
        receiver.rests += 1
        receiver.rests_until = self._clock() + rest_s
        return rest_s

    def _seats(self, receiver: _Receiver) -> int:
        if self._clock() < receiver.rests_until:
            return 0
        return 1 if receiver.silent else min(SEATS + receiver.proven, MOST_SEATS)

    def _forget(self) -> None:
        """Those with nothing that matters; and when there are very many, all that nothing is sent to."""
        now, many = self._clock(), len(self._receivers) > _MOST_RECEIVERS
        for origin, each in tuple(self._receivers.items()):
            plain = not each.silent and not each.proven
            old = now > max(each.rests_until, each.heard_at) + RESTS_S[-1] and not each.proven
            if not each.sending and now >= each.rests_until and (many or plain or old):
                del self._receivers[origin]
