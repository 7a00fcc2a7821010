"""What callers name and nobody knows."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from genpulse.domain.errors.refused import Refused


def _near(matches: Sequence[str]) -> str:
    return f" Did you mean {' or '.join(matches)}?" if matches else ""


class UnknownModel(Refused):
    """No enabled provider has a model of this name."""

    code = "unknown_model"

    def __init__(self, model: str, near: Sequence[str] = ()) -> None:
        routes = "" if "/" in model else ", and GET /v1/routes the routes, by whose names tasks are submitted, too"
        super().__init__(f"There is no model {model!r}.{_near(near)} GET /v1/models lists all of them{routes}.")
        self.near = tuple(near)


class UnknownRoute(Refused):
    """An order names a kind and no model, and no route is the usual one of that kind."""

    code = "unknown_route"

    def __init__(self, kind: str, names: Sequence[str]) -> None:
        known = f"the routes are {', '.join(names)}" if names else "no route is configured"
        super().__init__(f"There is no usual route for {kind!r}; {known}. Name a model as `provider/name`.")


class ModelShutDown(Refused):
    """The vendor has shut the model down. `successor` is the id of the model that takes its place, if one does."""

    code = "model_shut_down"

    def __init__(self, model: str, sunset: date, successor: str | None = None) -> None:
        instead = f"Ask for {successor!r}, which takes its place." if successor else "GET /v1/models lists others."
        super().__init__(f"The model {model!r} was shut down by its vendor on {sunset.isoformat()}. {instead}")
        self.successor = successor


class UnknownProvider(Refused):
    """No enabled provider has this name."""

    code = "unknown_provider"

    def __init__(self, name: str, names: Sequence[str]) -> None:
        super().__init__(f"There is no provider {name!r}; there is {', '.join(names)}.")


class UnknownKind(Refused):
    """The kind does not exist, or the model cannot do it."""

    code = "unknown_kind"

    def __init__(self, kind: str, model: str, kinds: Sequence[str]) -> None:
        super().__init__(f"The model {model!r} does not do {kind!r}; it does {', '.join(kinds)}.")


class UnknownTask(Refused):
    """No task has this id."""

    code = "unknown_task"

    def __init__(self, task_id: UUID | str) -> None:
        super().__init__(f"There is no task {task_id}.")


class UnknownAsset(Refused):
    """No asset has this id."""

    code = "unknown_asset"

    def __init__(self, asset_id: UUID | str) -> None:
        super().__init__(f"There is no asset {asset_id}.")


class UnknownBatch(Refused):
    """No batch has this id."""

    code = "unknown_batch"

    def __init__(self, batch_id: UUID | str) -> None:
        super().__init__(f"There is no batch {batch_id}.")


class UnknownDelivery(Refused):
    """There is no webhook message of this id about this task."""

    code = "unknown_delivery"

    def __init__(self, delivery_id: UUID) -> None:
        super().__init__(
            f"There is no delivery {delivery_id} of this task. GET its /deliveries lists all of them."
        )


class UnknownKey(Refused):
    """No API key has this id, or several begin like this."""

    code = "unknown_key"

    def __init__(self, beginning: str, count: int = 0) -> None:
        many = f"{count} API keys begin" if count else "There is no API key whose id begins"
        super().__init__(f"{many} with {beginning!r}. `genpulse keys list` shows all of them.")


class UnknownClientToken(Refused):
    """No client token of this caller has this id."""

    code = "unknown_client_token"

    def __init__(self, token_id: UUID | str) -> None:
        super().__init__(f"There is no client token {token_id} of this API key.")


class UnknownCallback(Refused):
    """No job of a vendor has this callback address."""

    code = "unknown_hook"

    def __init__(self) -> None:
        super().__init__("No job tells about itself at this address.")


class CallbackRefused(Refused):
    """A callback does not carry the signature of the vendor that it claims to come from."""

    code = "notice_refused"

    def __init__(self, provider: str) -> None:
        super().__init__(f"The notice is not signed as {provider} signs, or it is too old.")
