"""The table from error to HTTP status, and the headers that belong to an error."""

import math
from collections.abc import Mapping
from typing import TypeAlias

from genpulse.api.errors import (
    AssetGone,
    AuthenticationRequired,
    BeyondOwnKey,
    BodyTooSlow,
    ConfirmExpired,
    ForeignEnvironment,
    InsufficientScope,
    Internal,
    InvalidIdempotencyKey,
    InvalidJson,
    InvalidLastEventId,
    InvalidMultipart,
    InvalidPrefer,
    InvalidSignature,
    MethodNotTaken,
    ModelNotFound,
    OwnKey,
    RangeNotSatisfiable,
    TooManyRequests,
    UnknownCall,
    UnsupportedContentType,
    UploadInProgress,
    UrlExpired,
)
from genpulse.domain.errors import (
    AssetInUse,
    BudgetExceeded,
    CallbackRefused,
    ClientTokenUsedUp,
    ContentTooLarge,
    GenPulseError,
    InvalidCursor,
    KeyLimitExceeded,
    MayBeCharged,
    NoThumbnail,
    NotRetryable,
    OutsideClientToken,
    PaidProviderRefused,
    PriorityNotAllowed,
    Refused,
    TaskDeleted,
    ThumbnailsNotInstalled,
    Unavailable,
    UnknownAsset,
    UnknownBatch,
    UnknownCallback,
    UnknownClientToken,
    UnknownDelivery,
    UnknownKey,
    UnknownTask,
    UploadAddressUsed,
    UploadIncomplete,
    UploadNotTaken,
)
from genpulse.domain.provider_account.rate import Rate, whole_s

RateLimitHeaders: TypeAlias = tuple[tuple[str, str], ...]

STATUS: Mapping[type[GenPulseError], int] = {
    Refused: 422,
    InvalidJson: 400,
    InvalidMultipart: 400,
    InvalidPrefer: 400,
    InvalidIdempotencyKey: 400,
    InvalidLastEventId: 400,
    InvalidCursor: 400,
    UploadIncomplete: 400,
    AuthenticationRequired: 401,
    BudgetExceeded: 402,
    ForeignEnvironment: 403,
    PaidProviderRefused: 403,
    InsufficientScope: 403,
    PriorityNotAllowed: 403,
    OutsideClientToken: 403,
    ClientTokenUsedUp: 403,
    BeyondOwnKey: 403,
    InvalidSignature: 403,
    UrlExpired: 403,
    UnknownTask: 404,
    UnknownBatch: 404,
    UnknownAsset: 404,
    UnknownDelivery: 404,
    UnknownKey: 404,
    UnknownClientToken: 404,
    NoThumbnail: 404,
    ThumbnailsNotInstalled: 404,
    ModelNotFound: 404,
    UnknownCallback: 404,
    UnknownCall: 404,
    MethodNotTaken: 405,
    CallbackRefused: 401,
    BodyTooSlow: 408,
    NotRetryable: 409,
    MayBeCharged: 409,
    OwnKey: 409,
    ConfirmExpired: 409,
    TaskDeleted: 409,
    AssetInUse: 409,
    UploadAddressUsed: 409,
    AssetGone: 410,
    ContentTooLarge: 413,
    UnsupportedContentType: 415,
    UploadNotTaken: 415,
    KeyLimitExceeded: 429,
    TooManyRequests: 429,
    UploadInProgress: 429,
    RangeNotSatisfiable: 416,
    Internal: 500,
    Unavailable: 503,
}
"""The one table from error to status; a class that is not in it has the status of its base."""


def status_of(error: Refused | Unavailable | Internal) -> int:
    """The HTTP status of an error."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def headers_of(error: GenPulseError) -> dict[str, str]:
    """The headers that belong to an error."""
    match error:
        case TooManyRequests():
            return {
                "Retry-After": str(error.retry_after_s),
                **dict(rate_limit_headers(error.rate, 0, error.retry_after_s)),
            }
        case Unavailable() | BudgetExceeded() | KeyLimitExceeded() | UploadInProgress():
            return {"Retry-After": str(error.retry_after_s)}
        case AuthenticationRequired():
            return {"WWW-Authenticate": 'Bearer realm="genpulse"'}
        case MethodNotTaken():
            return {"Allow": ", ".join(error.methods)}
        case BodyTooSlow():
            return {"Connection": "close"}
        case RangeNotSatisfiable():
            return {"Content-Range": f"bytes */{error.size}"}
        case _:
            return {}


def rate_limit_headers(rate: Rate, remaining: int, after_s: float) -> RateLimitHeaders:
    """The RateLimit headers (draft-ietf-httpapi-ratelimit-headers-10): so many calls more, and more again then."""
    window_s = math.ceil(rate.per_s)
    return (
        ("RateLimit-Policy", f'"key";q={rate.count};w={window_s}'),
        ("RateLimit", f'"key";r={remaining};t={whole_s(after_s)}'),
    )
