"""Why a worker stops an attempt."""

from genpulse.domain.errors.base import GenPulseError


class LeaseLost(GenPulseError):
    """Another worker has taken the task over, or the task has ended; the write was not done."""


class BytesErased(GenPulseError):
    """The bytes of an asset were erased after they were stored and before it was committed: store them again."""


class AssetExists(GenPulseError):
    """An asset with this id is there already, or was there and is being deleted; the write was not done."""


class TaskCanceled(GenPulseError):
    """The task was canceled while it ran."""
