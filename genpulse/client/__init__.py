"""Deprecated: the package `genpulse_client` has the client now. To be removed with version 0.3.

    async with GenPulse("http://127.0.0.1:8000") as genpulse:
        task = await genpulse.generate("sandbox/image", {"prompt": "a red fox at dawn"})
        await genpulse.download(task.outputs[0], "fox.png")

It stands alone: nothing else of the package is imported.
"""

import warnings

from genpulse.client.client import DEFAULT_URL, GenPulse, OnEvent
from genpulse.client.errors import ApiRefused, ApiUnreachable, ClientError, DownloadBroken, NoId, TaskFailed
from genpulse.client.views import AssetView, Event, TaskView, WaitingView, WarningView

__all__ = [
    "DEFAULT_URL",
    "ApiRefused",
    "ApiUnreachable",
    "AssetView",
    "ClientError",
    "DownloadBroken",
    "Event",
    "GenPulse",
    "NoId",
    "OnEvent",
    "TaskFailed",
    "TaskView",
    "WaitingView",
    "WarningView",
]

warnings.warn(
    "genpulse.client is the package genpulse_client now: AsyncGenPulse in place of GenPulse",
    DeprecationWarning,
    stacklevel=2,
)
