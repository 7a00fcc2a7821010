"""Calls of Replicate's API that cannot work here, and why."""

from collections.abc import Awaitable, Callable
from typing import ClassVar, Never

from starlette.requests import Request
from starlette.responses import Response

from genpulse.api.errors import ModelNotFound
from genpulse.api.responses.encoded import JsonResponse
from genpulse.domain.errors import Refused

_NO_PAGE = b'{"previous":null,"next":null,"results":[]}'


class NotServed(Refused):
    """The call is one of Replicate's, and cannot be answered here."""

    code: ClassVar[str] = "not_served"


class TrainingNotServed(NotServed):
    """A training was asked for."""

    code = "training_not_served"

    def __init__(self) -> None:
        super().__init__("GenPulse runs models and trains none. Train at the provider, and run the model here.")


def not_served(what: str, instead: str) -> Callable[[Request], Awaitable[Response]]:
    """A call that says that `what` is not done here, and what to do `instead`."""

    async def refuse(_request: Request) -> Never:
        raise NotServed(f"{what} is not done by this API. {instead}")

    return refuse


async def refuse_training(_request: Request) -> Response:
    """No training begins."""
    raise TrainingNotServed


async def list_trainings(_request: Request) -> Response:
    """There are none."""
    return JsonResponse(_NO_PAGE, 200, {})


async def show_training(request: Request) -> Response:
    """None has this id."""
    raise ModelNotFound(f"There is no training {str(request.path_params['training_id'])[:100]!r}: none runs here.")
