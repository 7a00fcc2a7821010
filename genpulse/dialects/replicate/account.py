"""Who calls, by what its webhooks are signed, and the hardware that it may choose: none."""

from pydantic import ConfigDict
from starlette.requests import Request
from starlette.responses import Response

from genpulse.api.context import caller_of, context_in
from genpulse.api.responses import encoded
from genpulse.api.responses.encoded import JsonResponse
from genpulse.api.schemas.document import Document
from genpulse.domain.keys.caller import Caller
from genpulse.lifecycle.webhooks.secrets import webhook_secret_of


class AccountDocument(Document):
    """An API key, as an account."""

    model_config = ConfigDict(title="Account")

    type: str = "organization"
    username: str
    name: str
    github_url: None = None
    avatar_url: None = None

    @classmethod
    def of(cls, caller: Caller, environment: str) -> "AccountDocument":
        """From the domain's value; without a key it is the environment."""
        name = caller.key.name if caller.key else environment
        return cls(username=name, name=name)


class SecretDocument(Document):
    """By what webhooks are signed."""

    key: str


async def show_account(request: Request) -> Response:
    """The API key of the call."""
    services = context_in(request.scope).services
    return encoded.json(AccountDocument.of(caller_of(request), services.environment.name))


async def show_secret(request: Request) -> Response:
    """The secret by which the webhooks of this API key are signed."""
    key = await webhook_secret_of(context_in(request.scope).services.keys, caller_of(request))
    return encoded.json(SecretDocument(key=key), headers={"Cache-Control": "no-store"})


async def list_hardware(_request: Request) -> Response:
    """Nobody chooses it here: each provider has its own."""
    return JsonResponse(b"[]", 200, {})
