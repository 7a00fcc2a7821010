"""The client of GenPulse: one durable task API in front of generative media.

    from genpulse_client import GenPulse

    genpulse = GenPulse("http://127.0.0.1:8000")
    task = genpulse.generate("sandbox/image", {"prompt": "a red fox at dawn"})
    genpulse.download(task.outputs[0], "fox.png")

`AsyncGenPulse` has the same calls for asyncio.
"""

from genpulse_client.address import DEFAULT_URL
from genpulse_client.asynchronous.client import AsyncGenPulse, OnEvent
from genpulse_client.client_terms import ClientTerms
from genpulse_client.errors import (
    ApiRefused,
    ApiTimeout,
    ApiUnreachable,
    DownloadBroken,
    GenPulseError,
    InvalidId,
    InvalidWebhook,
    TaskFailed,
    TaskNotEnded,
    UnexpectedAnswer,
)
from genpulse_client.filters import TaskFilter
from genpulse_client.order import Order
from genpulse_client.results.action import Action, ActionOutcome
from genpulse_client.results.asset import Asset
from genpulse_client.results.batch import Batch, BatchEvent
from genpulse_client.results.client_token import ClientToken
from genpulse_client.results.event import Event
from genpulse_client.results.model import Model
from genpulse_client.results.task import Cost, Failure, Priority, Status, Task, TaskWarning, Waiting
from genpulse_client.results.upload import Upload
from genpulse_client.results.usage import Usage
from genpulse_client.retry import RetryLimits
from genpulse_client.synchronous.client import GenPulse
from genpulse_client.webhook import WebhookMessage, verify_webhook

__all__ = [
    "DEFAULT_URL",
    "Action",
    "ActionOutcome",
    "ApiRefused",
    "ApiTimeout",
    "ApiUnreachable",
    "Asset",
    "AsyncGenPulse",
    "Batch",
    "BatchEvent",
    "ClientTerms",
    "ClientToken",
    "Cost",
    "DownloadBroken",
    "Event",
    "Failure",
    "GenPulse",
    "GenPulseError",
    "InvalidId",
    "InvalidWebhook",
    "Model",
    "OnEvent",
    "Order",
    "Priority",
    "RetryLimits",
    "Status",
    "Task",
    "TaskFailed",
    "TaskFilter",
    "TaskNotEnded",
    "TaskWarning",
    "UnexpectedAnswer",
    "Upload",
    "Usage",
    "Waiting",
    "WebhookMessage",
    "verify_webhook",
]
