"""Runs heavy work in the threads of engines, so that the event loop stays free."""

from collections.abc import Callable
from typing import Any, TypeVar

from genpulse.provider import Call, ProviderRejected

T = TypeVar("T")
_HOW = "pip install 'genpulse[sandbox]'"


async def worked(call: Call[Any], work: Callable[[], T]) -> T:
    """The result of the function. Raises `ProviderRejected` when a library is missing or does not load."""
    try:
        return await call.in_thread(work)
    except ModuleNotFoundError as error:
        raise ProviderRejected(f"The sandbox needs {error.name}, which is not installed: {_HOW}") from error
    except ImportError as error:
        raise ProviderRejected(f"A library of the sandbox does not load ({error}); try {_HOW}") from error
