"""Scripts that run inside Redis."""

from collections.abc import Sequence
from hashlib import sha1
from typing import Any, TypeAlias, cast

from redis.asyncio import Redis
from redis.exceptions import NoScriptError

Argument: TypeAlias = str | int | float


class Script:
    """A Lua program, sent by its digest. Where Redis does not know it (any more) it is sent whole and run at once.

    So neither a restart nor a `SCRIPT FLUSH` at any moment makes a call fail.
    """

    def __init__(self, redis: Redis, text: str) -> None:
        self._redis = redis
        self._text = text
        self._digest = sha1(text.encode(), usedforsecurity=False).hexdigest()

    async def __call__(self, key: str, arguments: Sequence[Argument]) -> Any:
        """What the program returns. Raises what the client raises."""
        redis = cast("Any", self._redis)
        try:
            return await redis.evalsha(self._digest, 1, key, *arguments)
        except NoScriptError:
            return await redis.eval(self._text, 1, key, *arguments)
