"""The API for authors of providers.

A provider is a name and a list of models. A model has a kind, an input (a pydantic model, so that it has a
JSON Schema) and an engine. An engine has one of three shapes:

- `Local` runs here and reports progress; running it twice costs nothing.
- `Immediate` is one call to a vendor that answers with the output.
- `TwoPhase` submits a job to a vendor, polls it, collects its output, and may cancel it.

A provider is found through the entry-point group `genpulse.providers`, whose entries are functions that take
`ProviderSettings` and return a `Provider`. `docs/how-to/write-a-provider.md` starts with one of ten lines.
"""

from genpulse.domain.errors import (
    AuthenticationFailed,
    InvalidInput,
    ModerationBlocked,
    OutputUnavailable,
    ProviderError,
    ProviderRejected,
    ProviderUnavailable,
    ProviderUnreachable,
    QuestionRefused,
    QuotaExhausted,
    RateLimited,
    TaskCanceled,
    TimedOut,
    UnknownOutcome,
)
from genpulse.domain.failure import Actor, Charged, Failure, FailureCode
from genpulse.domain.money.cost import Cost
from genpulse.domain.money.pricing.reported_usage import ReportedUsage
from genpulse.domain.result.answer import Answer, OutputPlace
from genpulse.domain.warning import TaskWarning, WarningCode
from genpulse.provider.call import (
    Attachment,
    Attachments,
    Call,
    Callback,
    Input,
    Job,
    NoAttachments,
    Notice,
    Output,
    PollInterval,
    Progress,
    Report,
    Result,
    Submission,
)
from genpulse.provider.catalogue.builder import ModelBuilder
from genpulse.provider.catalogue.entry import ModelEntry
from genpulse.provider.engine import Engine, Immediate, Local, TwoPhase
from genpulse.provider.inputs.asset_ref import AssetRef, AudioRef, FileField, ImageRef, VideoRef
from genpulse.provider.missing import Missing
from genpulse.provider.model import AnyModel, Model
from genpulse.provider.plug_in import Provider, ProviderSettings
from genpulse.provider.threads import EngineThreads

__all__ = [
    "Actor",
    "Answer",
    "AnyModel",
    "AssetRef",
    "Attachment",
    "Attachments",
    "AudioRef",
    "AuthenticationFailed",
    "Call",
    "Callback",
    "Charged",
    "Cost",
    "Engine",
    "EngineThreads",
    "Failure",
    "FailureCode",
    "FileField",
    "ImageRef",
    "Immediate",
    "Input",
    "InvalidInput",
    "Job",
    "Local",
    "Missing",
    "Model",
    "ModelBuilder",
    "ModelEntry",
    "ModerationBlocked",
    "NoAttachments",
    "Notice",
    "Output",
    "OutputPlace",
    "OutputUnavailable",
    "PollInterval",
    "Progress",
    "Provider",
    "ProviderError",
    "ProviderRejected",
    "ProviderSettings",
    "ProviderUnavailable",
    "ProviderUnreachable",
    "QuestionRefused",
    "QuotaExhausted",
    "RateLimited",
    "Report",
    "ReportedUsage",
    "Result",
    "Submission",
    "TaskCanceled",
    "TaskWarning",
    "TimedOut",
    "TwoPhase",
    "UnknownOutcome",
    "VideoRef",
    "WarningCode",
]
