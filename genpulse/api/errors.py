"""The errors of HTTP itself. `error_status` says what each is in a response.

Refused
├── InvalidJson · InvalidMultipart              the body cannot be read
├── BodyTooSlow                                 the body does not come
├── UnsupportedContentType                      the body is of another type than this call takes
├── InvalidPrefer · InvalidIdempotencyKey · InvalidLastEventId    a header that does not make sense
├── AuthenticationRequired · ForeignEnvironment who asks may not
│   └── ClientTokenExpired                      or may no longer
├── InsufficientScope · TooManyRequests         what the API key may do
├── BeyondOwnKey · OwnKey                       what one API key may do with others, and with itself
├── InvalidSignature · UrlExpired               a signed address that is not ours, or too old
├── UploadInProgress                            a file comes already by the same address
├── InvalidConfirm · ConfirmExpired             a word of ours about many tasks that is none, or too old
├── ModelNotFound                               as `UnknownModel`, where the model is in the path
├── UnknownCall · MethodNotTaken                a path of a door that is none, or takes another method
├── AssetGone                                   what is known about an asset is kept, its bytes are not
└── RangeNotSatisfiable                         a range outside of the content
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import ClassVar
from uuid import UUID

from genpulse.domain.errors import (
    BadInput,
    GenPulseError,
    Problem,
    Refused,
)
from genpulse.domain.keys.api_key import Scope
from genpulse.domain.provider_account.rate import Rate, whole_s


class InvalidJson(Refused):
    """The body is not JSON in UTF-8."""

    code = "invalid_json"


class InvalidMultipart(Refused):
    """The body is not the multipart form that it claims to be."""

    code = "invalid_multipart"


class UnsupportedContentType(Refused):
    """The body is of another type than this call takes."""

    code = "unsupported_media_type"

    def __init__(self, content_type: str | None, expected: str) -> None:
        state = f"is {content_type!r}" if content_type else "is missing"
        super().__init__(f"The Content-Type {state}; this call takes {expected}.")


class InvalidPrefer(Refused):
    """The `wait` of a Prefer header is not a number of seconds from 1 to 60."""

    code = "invalid_prefer"

    def __init__(self, value: str) -> None:
        super().__init__(
            f"The header Prefer has wait={value[:40]!r}; it takes whole seconds from 1 to 60, as in"
            " `Prefer: wait=10`."
        )


class InvalidIdempotencyKey(Refused):
    """The Idempotency-Key cannot be used here."""

    code = "invalid_idempotency_key"


class InvalidLastEventId(Refused):
    """The Last-Event-ID is not one that this service gave."""

    code = "invalid_last_event_id"

    def __init__(self) -> None:
        super().__init__("The header Last-Event-ID is not the `id` of an event of this service.")


class UnknownCall(Refused):
    """There is nothing at this path of a door."""

    code = "not_found"

    def __init__(self, path: str, door: str) -> None:
        super().__init__(f"There is nothing at {path!r}. docs/how-to/switch-from-{door}.md lists what there is.")


class MethodNotTaken(Refused):
    """The path of a door takes another method."""

    code = "method_not_allowed"

    def __init__(self, path: str, method: str, methods: Sequence[str]) -> None:
        super().__init__(f"{path!r} does not take {method}; it takes {', '.join(methods)}.")
        self.methods = tuple(methods)


class AuthenticationRequired(Refused):
    """This call needs an API key."""

    code = "authentication_required"


class ClientTokenExpired(AuthenticationRequired):
    """The client token was good once."""

    code = "client_token_expired"

    def __init__(self) -> None:
        super().__init__("This client token has run out. Ask the server that gave it to you for another one.")


class ForeignEnvironment(Refused):
    """The API key belongs to another environment."""

    code = "foreign_environment"

    def __init__(self, theirs: str, ours: str) -> None:
        super().__init__(
            f"The API key belongs to the environment {theirs!r}; this service runs in {ours!r}."
            f" Use a key of {ours!r}, or the address of {theirs!r}."
        )


class InsufficientScope(Refused):
    """The API key is not good for this call."""

    code = "insufficient_scope"

    def __init__(self, needed: Scope, scopes: Sequence[Scope]) -> None:
        super().__init__(
            f"This call needs the scope {needed}, and this API key has {', '.join(scopes) or 'none'}."
        )


class BeyondOwnKey(BadInput):
    """An API key would give more than it holds itself. `fields` are where."""

    code = "beyond_own_key"

    def __init__(self, fields: Sequence[str]) -> None:
        super().__init__(
            f"This API key would give more than it holds itself: {', '.join(fields)}. Ask for as much as its own"
            " limits at most, or use a key without them.",
            [Problem(f"/{field}", "It is more than the API key of this call has") for field in fields],
        )


class OwnKey(Refused):
    """The API key would change or revoke itself."""

    code = "own_key"

    def __init__(self) -> None:
        super().__init__(
            "An API key does not change or revoke itself, so that nobody is locked out by accident. Use another"
            " key with the scope admin, or `genpulse keys`."
        )


class InvalidSignature(Refused):
    """The address does not carry the signature of this service."""

    code = "invalid_signature"

    def __init__(self, again: str = "Read the task again for a fresh address.") -> None:
        super().__init__(f"The signature of this address is not ours. {again}")


class UrlExpired(Refused):
    """The address was good once."""

    code = "expired_url"

    def __init__(self, expired_at: int, again: str = "Read the task again for a fresh one.") -> None:
        moment = datetime.fromtimestamp(expired_at, UTC)
        super().__init__(f"This address expired at {moment:%Y-%m-%d %H:%M} UTC. {again}")


class UploadInProgress(Refused):
    """A file comes by this address already, and nobody knows yet how that ends."""

    code = "upload_in_progress"
    retry_after_s = 5

    def __init__(self) -> None:
        super().__init__(
            f"A file comes by this address already. Try again in {self.retry_after_s} s: then it is there, or this"
            " one may come."
        )


class TooManyRequests(Refused):
    """The API key calls more often than it may."""

    code = "rate_limited"

    def __init__(self, rate: Rate, wait_s: float) -> None:
        super().__init__(f"This API key may make {rate} calls. Wait for {wait_s:.1f} s.")
        self.retry_after_s = max(1, whole_s(wait_s))
        self.rate = rate


class InvalidConfirm(Refused):
    """The token does not confirm this action on these tasks, by this caller."""

    code = "invalid_confirm"

    def __init__(self) -> None:
        super().__init__(
            "The `confirm` is not one that this service gave you for this action and this filter. Ask again"
            " without it, and send what comes back with nothing else changed."
        )


class ConfirmExpired(Refused):
    """The count that was confirmed is too old."""

    code = "expired_confirm"

    def __init__(self) -> None:
        super().__init__("The `confirm` has run out. Ask again without it, and look at what it says then.")


class ModelNotFound(Refused):
    """No enabled provider has the model that the path names."""

    code = "unknown_model"


class AssetGone(Refused):
    """The asset is known, and its bytes are not there any more. `why` is a sentence."""

    code = "asset_gone"

    def __init__(self, asset_id: UUID, why: str) -> None:
        super().__init__(f"The content of the asset {asset_id} cannot be had any more. {why}")


class RangeNotSatisfiable(Refused):
    """The range lies outside of the content. That is `size` bytes long."""

    code = "range_not_satisfiable"

    def __init__(self, size: int) -> None:
        super().__init__(f"The range lies outside of the content, which is {size:,} bytes long.")
        self.size = size


class BodyTooSlow(Refused):
    """The body comes more slowly than anybody can wait for."""

    code = "request_timeout"

    def __init__(self, idle_s: float) -> None:
        super().__init__(
            f"The body did not come: nothing for {idle_s:g} s, or less than 1 KiB a second. Send it again."
        )


class Internal(GenPulseError):
    """Stands for an error that nobody foresaw; its cause is in the log only."""

    code: ClassVar[str] = "internal"
