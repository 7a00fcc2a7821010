"""What the JavaScript client sends through one address: a header says where it leads."""

from urllib.parse import quote, unquote, urlsplit

from starlette.requests import Request
from starlette.responses import Response

from genpulse.api.door import Door
from genpulse.api.requests.lean_request import LeanRequest
from genpulse.api.requests.paths import forget_inner_path
from genpulse.dialects.fal.errors import UnknownTarget

TARGET = "x-fal-target-url"
_QUEUE, _REST, _RUN = "/queue", "/rest", "/run"


class Proxy:
    """Answers here whatever fal's hosts would be asked for. Of a host the first name alone counts."""

    def __init__(self) -> None:
        self.door: Door | None = None

    async def forward(self, request: Request) -> Response:
        """The answer of the call that is meant. Raises `UnknownTarget`, and what that call raises."""
        door, target = self.door, request.headers.get(TARGET)
        try:
            parts = urlsplit(target or "")
        except ValueError:
            raise UnknownTarget(target) from None
        if door is None or parts.scheme not in {"http", "https"} or not parts.path.strip("/"):
            raise UnknownTarget(target)
        scope = request.scope
        path = f"{scope.get('root_path', '')}{door.prefix}{_place(parts.hostname or '')}{unquote(parts.path)}"
        scope.update(
            path=path, raw_path=quote(path).encode(), query_string=parts.query.encode("latin-1", "replace")
        )
        forget_inner_path(scope)
        opened = door.open(scope)
        if opened.call is None or opened.call.handler == self.forward:
            raise door.unknown(scope)
        scope["path_params"] = dict(opened.parameters)
        return await opened.call.handler(LeanRequest(scope, request.receive))


def _place(host: str) -> str:
    if host.startswith("queue."):
        return _QUEUE
    return _REST if host.startswith("rest.") else _RUN
