"""Whether the whole body of a request was there before anybody asked for it, as it is of most."""

from starlette.types import Scope

_ARRIVED = "genpulse.body_arrived"


def note_arrived(scope: Scope) -> None:
    """The last of the body has come."""
    scope[_ARRIVED] = True


def has_arrived(scope: Scope) -> bool:
    """Whether nobody has to wait for any of it. False where the server does not tell."""
    return _ARRIVED in scope
