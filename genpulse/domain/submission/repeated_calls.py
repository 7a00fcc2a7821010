"""Which earlier call a call repeats that came without an idempotency key."""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

MOST_OF_ONE = 16
"""Of more calls for the same those are forgotten that were answered first: no other one is ever meant."""
REMEMBERED_S = 600.0
"""Seconds after which a call counts as a new one."""


class CallState(StrEnum):
    """How far a call has come, as far as is known here.

    OPEN: it is under way. ANSWERED: its answer was written out whole. LOST: the answer was not, or was an error
    behind which a task may be. REFUSED: it was refused, and has most likely made no task.
    """

    OPEN = "open"
    ANSWERED = "answered"
    LOST = "lost"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class KnownCall:
    """A call under its idempotency key, which began at `began_at_s` in a process of the API."""

    key: str
    state: CallState
    began_at_s: float
    process: str = ""


def repeated(
    calls: Iterable[KnownCall], *, repeats: bool, is_gone: Callable[[str], bool] = lambda _: False
) -> KnownCall | None:
    """The one of these calls for the same that another one repeats; None where it is a new one.

    `repeats`: its client says that it does. `is_gone` tells of processes that have died, which lose what they had
    open. A lost call goes before all others, the oldest first; without a client's word there is no other. With it
    the newest is meant of those that were refused, else answered, else under way: of two equal calls nobody can
    know which one a client has no answer to.
    """
    oldest_first = sorted(calls, key=lambda call: (call.began_at_s, call.key))
    for call in oldest_first:
        if call.state is CallState.LOST or (call.state is CallState.OPEN and is_gone(call.process)):
            return call
    for state in (CallState.REFUSED, CallState.ANSWERED, CallState.OPEN) if repeats else ():
        for call in reversed(oldest_first):
            if call.state is state:
                return call
    return None


class KnownCalls:
    """The calls of the last ten minutes, at most `most` of them, by the digest of what they ask for."""

    def __init__(self, most: int = 20_000) -> None:
        self._most = most
        self._calls: OrderedDict[str, dict[str, KnownCall]] = OrderedDict()

    def take(self, digest: str, now_s: float, *, repeats: bool, process: str = "") -> str | None:
        """The key of the call that this one repeats, which is under way from now on; None for a new one."""
        calls = self._calls.get(digest, {})
        for call in [one for one in calls.values() if now_s - one.began_at_s > REMEMBERED_S]:
            del calls[call.key]
        earlier = repeated(calls.values(), repeats=repeats)
        if earlier is None:
            return None
        calls[earlier.key] = KnownCall(earlier.key, CallState.OPEN, earlier.began_at_s, process)
        return earlier.key

    def unanswered(self, digest: str) -> str | None:
        """The key of the newest call that was refused or lost, where one was."""
        calls = self._calls.get(digest, {}).values()
        open_ends = [call for call in calls if call.state in {CallState.REFUSED, CallState.LOST}]
        return max(open_ends, key=lambda call: call.began_at_s).key if open_ends else None

    def has(self, digest: str, key: str) -> bool:
        """Whether a call of this digest and key is known here."""
        return key in self._calls.get(digest, {})

    def note(self, digest: str, key: str, state: CallState, now_s: float, process: str = "") -> None:
        """How far the call under this key has come."""
        calls = self._of(digest)
        before = calls.get(key)
        if before is None:
            calls[key] = KnownCall(key, state, now_s, process)
        elif before.state is not state:
            calls[key] = KnownCall(key, state, before.began_at_s, before.process)
        if state is CallState.ANSWERED and len(calls) > MOST_OF_ONE:
            _forget_answered(calls)

    def _of(self, digest: str) -> dict[str, KnownCall]:
        """The calls of this digest, which becomes the newest; the oldest is forgotten where there are too many."""
        calls = self._calls.get(digest)
        if calls is None:
            calls = self._calls[digest] = {}
            if len(self._calls) > self._most:
                self._calls.popitem(last=False)
        else:
            self._calls.move_to_end(digest)
        return calls


def _forget_answered(calls: dict[str, KnownCall]) -> None:
    """Forget the one that came first."""
    oldest = next((key for key, call in calls.items() if call.state is CallState.ANSWERED), None)
    if oldest is not None:
        del calls[oldest]
