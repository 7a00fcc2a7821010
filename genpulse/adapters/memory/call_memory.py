"""What processes know of calls without an idempotency key, within one."""

import time
from dataclasses import dataclass, field, replace

from genpulse.domain.submission.repeated_calls import REMEMBERED_S, CallState, KnownCall, repeated


@dataclass
class SharedCalls:
    """What several `MemoryCalls` share, as processes share a Redis. `dead_processes` have died."""

    calls: dict[str, dict[str, KnownCall]] = field(default_factory=dict)
    dead_processes: set[str] = field(default_factory=set)


class MemoryCalls:
    """Implements `CallMemory` for the process of this name."""

    def __init__(self, shared: SharedCalls | None = None, process: str = "api") -> None:
        self._shared = shared or SharedCalls()
        self._process = process

    async def take(self, digest: str, new_key: str, *, repeats: bool) -> str | None:
        """The key of the call that this one repeats."""
        now_s, dead_processes = time.monotonic(), self._shared.dead_processes
        same_calls = self._shared.calls.setdefault(digest, {})
        fresh = [call for call in same_calls.values() if now_s - call.began_at_s <= REMEMBERED_S]
        found = repeated(fresh, repeats=repeats, is_gone=dead_processes.__contains__)
        call = found or KnownCall(new_key, CallState.OPEN, now_s)
        if found or not repeats:
            same_calls[call.key] = replace(call, state=CallState.OPEN, process=self._process)
        return call.key

    def note(self, digest: str, key: str, state: CallState) -> None:
        """Note how far a call has come."""
        calls = self._shared.calls.setdefault(digest, {})
        before = calls.get(key) or KnownCall(key, state, time.monotonic())
        calls[key] = replace(before, state=state, process=self._process)

    def die(self) -> None:
        """As a process that is killed: what it had under way is lost."""
        self._shared.dead_processes.add(self._process)

    async def close(self) -> None:
        """There is nothing to close."""
