"""Messages for Redis errors."""

from redis.exceptions import (
    AuthenticationError,
    InvalidResponse,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
)

from genpulse.adapters.network.unreachable import why_not_reached
from genpulse.domain.text.storable import storable_line

SETTING = "GENPULSE_REDIS__URL"


def why_away(error: BaseException) -> str:
    """One line, with what Redis itself has said."""
    text = storable_line(str(error)) or type(error).__name__
    match error:
        case AuthenticationError():
            return f"Redis refuses the user or the password of {SETTING}: mend them there ({text})"
        case NoPermissionError():
            return f"the user of {SETTING} may not do that: `genpulse env acl` prints one that may ({text})"
        case InvalidResponse():
            return (
                f"what answers where {SETTING} points does not speak as Redis does: look at host and port ({text})"
            )
        case OutOfMemoryError():
            return f"its memory is full; raise maxmemory or let it evict keys ({text})"
        case ReadOnlyError():
            return f"it is a read-only replica; redis.url has to name the primary ({text})"
        case _:
            return why_not_reached(error, "Redis", SETTING) or text
