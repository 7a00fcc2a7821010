"""Errors of this door alone.

Refused
├── RealtimeNotSpoken    a connection that stays open both ways
└── UnknownTarget        a call through the proxy that leads nowhere
"""

from genpulse.domain.errors import Refused


class RealtimeNotSpoken(Refused):
    """Somebody wants a realtime connection."""

    code = "realtime_not_supported"

    def __init__(self) -> None:
        super().__init__(
            "Realtime connections (wss) are not spoken here: a task is durable, and a connection is not. Use"
            " submit, subscribe, run or stream."
        )


class UnknownTarget(Refused):
    """The header that says where a call through the proxy leads is missing, or leads nowhere."""

    code = "bad_request"

    def __init__(self, target: str | None) -> None:
        state = f"is {target[:200]!r}" if target else "is missing"
        super().__init__(
            f"The header x-fal-target-url {state}; it names an address of queue.fal.run, fal.run or rest.fal.ai,"
            " which is answered here."
        )
