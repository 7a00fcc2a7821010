"""Every error that GenPulse raises on purpose.

GenPulseError
├── Refused                      the caller asked for something that cannot be done; nothing was accepted
│   ├── BadInput                 carries one problem for each place that does not fit
│   │   ├── OutOfReach           names an asset that is not there, or a webhook that is never sent
│   │   ├── PriorityNotAllowed   asks for more than the API key may
│   │   └── CustomerMissing      does not say for which end customer it is
│   ├── ModelShutDown
│   ├── UnknownModel · UnknownRoute · UnknownProvider · UnknownKind
│   ├── UnknownTask · UnknownBatch · UnknownAsset · UnknownDelivery
│   ├── IdempotencyKeyReuse      the key was used before with another body
│   ├── UnknownKey               no API key has this id
│   ├── NoWebhookSecret          it has no webhook secret of its own
│   ├── SealingKeyMissing        a secret would be kept, and nothing is there to seal it with
│   ├── SealedSecret             a secret is kept that no key here opens
│   │   └── SealedMessageKey     and it signs messages
│   ├── KeyLimitExceeded         the API key may not do so much
│   │   └── CustomerLimitExceeded    or one of its end customers
│   ├── UnknownClientToken       no client token has this id
│   ├── OutsideClientToken       the client token is good for something else
│   ├── ClientTokenUsedUp        all that it was good for was done
│   ├── UnknownCallback · CallbackRefused    a vendor's callback that belongs to no job, or is not the vendor's
│   ├── InvalidCursor            a page cursor that this service did not make
│   ├── NotRetryable             the task is not in a state from which it can run again
│   ├── MayBeCharged             it would be ordered anew while its first order may run, or be paid for
│   ├── TaskDeleted              the idempotency key belongs to a task that was deleted
│   ├── AssetInUse               a task that has not ended needs the asset
│   ├── UploadAddressUsed        the address took a file already
│   ├── DatabaseInUse            processes are connected that must not be
│   ├── PaidProviderRefused      it costs money, and this environment does not allow that
│   ├── ProviderNotConfigured    it has no key here
│   ├── BudgetExceeded           it costs more than is left for today
│   ├── NoThumbnail              the asset can have none
│   ├── ThumbnailsNotInstalled   the server cannot make them
│   ├── ContentTooLarge          more bytes than the limit allows
│   ├── UploadIncomplete         the client went away in the middle
│   └── UploadNotTaken           a file of another type than it may be
├── Unavailable                  a service that GenPulse stands on is away; try again later
│   ├── DatabaseUnavailable
│   │   ├── ForeignDatabase     it belongs to another environment
│   │   │   └── CopiedDatabase   it is a copy of this environment's, or was moved
│   │   └── UnstampedDatabase   nothing says to which environment it belongs
│   ├── ThumbnailsBusy           too many wait to be made
│   ├── ClocksDiffer             the host's clock and the database's are too far apart
│   └── StorageUnavailable
│       └── StorageFull
├── StorageLost                  bytes that are not there and never come back
├── LeaseLost                    another worker has taken the task over; the write was not done
├── BytesErased                  bytes were erased before their asset was committed
├── AssetExists                  an asset with this id is there already; the write was not done
├── TaskCanceled                 the task was canceled while it ran
└── ProviderError                why an attempt failed; carries a Failure
    ├── InvalidInput · ModerationBlocked · ProviderRejected
    ├── ProviderUnavailable      it was definitely not taken
    │   └── ProviderUnreachable  it was not even sent
    ├── RateLimited · QuotaExhausted · AuthenticationFailed · TimedOut
    ├── SpendingNotAllowed · OverBudget · JobOverdue
    ├── QuestionRefused          no answer about an order, which says nothing about the order
    └── UnknownOutcome · OutputUnavailable
"""

from genpulse.domain.errors.attempt import AssetExists, BytesErased, LeaseLost, TaskCanceled
from genpulse.domain.errors.base import GenPulseError
from genpulse.domain.errors.not_allowed import (
    AssetInUse,
    BudgetExceeded,
    ClientTokenUsedUp,
    CustomerLimitExceeded,
    KeyLimitExceeded,
    MayBeCharged,
    NotRetryable,
    OutsideClientToken,
    PaidProviderRefused,
    ProviderNotConfigured,
    TaskDeleted,
    UploadAddressUsed,
)
from genpulse.domain.errors.provider import (
    AuthenticationFailed,
    InvalidInput,
    JobOverdue,
    ModerationBlocked,
    OutputUnavailable,
    OverBudget,
    ProviderError,
    ProviderRejected,
    ProviderUnavailable,
    ProviderUnreachable,
    QuestionRefused,
    QuotaExhausted,
    RateLimited,
    SpendingNotAllowed,
    TimedOut,
    UnknownOutcome,
)
from genpulse.domain.errors.refused import (
    BadInput,
    ContentTooLarge,
    CustomerMissing,
    DatabaseInUse,
    IdempotencyKeyReuse,
    InvalidCursor,
    OutOfReach,
    PriorityNotAllowed,
    Problem,
    Refused,
    UploadIncomplete,
    UploadNotTaken,
)
from genpulse.domain.errors.thumbnails import NoThumbnail, ThumbnailsBusy, ThumbnailsNotInstalled
from genpulse.domain.errors.unavailable import (
    ClocksDiffer,
    CopiedDatabase,
    DatabaseUnavailable,
    ForeignDatabase,
    StorageFull,
    StorageLost,
    StorageUnavailable,
    Unavailable,
    UnstampedDatabase,
)
from genpulse.domain.errors.unknown import (
    CallbackRefused,
    ModelShutDown,
    UnknownAsset,
    UnknownBatch,
    UnknownCallback,
    UnknownClientToken,
    UnknownDelivery,
    UnknownKey,
    UnknownKind,
    UnknownModel,
    UnknownProvider,
    UnknownRoute,
    UnknownTask,
)
from genpulse.domain.errors.webhook_secrets import (
    NoWebhookSecret,
    SealedMessageKey,
    SealedSecret,
    SealingKeyMissing,
)

__all__ = [
    "AssetExists",
    "AssetInUse",
    "AuthenticationFailed",
    "BadInput",
    "BudgetExceeded",
    "BytesErased",
    "CallbackRefused",
    "ClientTokenUsedUp",
    "ClocksDiffer",
    "ContentTooLarge",
    "CopiedDatabase",
    "CustomerLimitExceeded",
    "CustomerMissing",
    "DatabaseInUse",
    "DatabaseUnavailable",
    "ForeignDatabase",
    "GenPulseError",
    "IdempotencyKeyReuse",
    "InvalidCursor",
    "InvalidInput",
    "JobOverdue",
    "KeyLimitExceeded",
    "LeaseLost",
    "MayBeCharged",
    "ModelShutDown",
    "ModerationBlocked",
    "NoThumbnail",
    "NoWebhookSecret",
    "NotRetryable",
    "OutOfReach",
    "OutputUnavailable",
    "OutsideClientToken",
    "OverBudget",
    "PaidProviderRefused",
    "PriorityNotAllowed",
    "Problem",
    "ProviderError",
    "ProviderNotConfigured",
    "ProviderRejected",
    "ProviderUnavailable",
    "ProviderUnreachable",
    "QuestionRefused",
    "QuotaExhausted",
    "RateLimited",
    "Refused",
    "SealedMessageKey",
    "SealedSecret",
    "SealingKeyMissing",
    "SpendingNotAllowed",
    "StorageFull",
    "StorageLost",
    "StorageUnavailable",
    "TaskCanceled",
    "TaskDeleted",
    "ThumbnailsBusy",
    "ThumbnailsNotInstalled",
    "TimedOut",
    "Unavailable",
    "UnknownAsset",
    "UnknownBatch",
    "UnknownCallback",
    "UnknownClientToken",
    "UnknownDelivery",
    "UnknownKey",
    "UnknownKind",
    "UnknownModel",
    "UnknownOutcome",
    "UnknownProvider",
    "UnknownRoute",
    "UnknownTask",
    "UnstampedDatabase",
    "UploadAddressUsed",
    "UploadIncomplete",
    "UploadNotTaken",
]
