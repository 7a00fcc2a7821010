"""Where heavy work is done: a few threads of the provider's own, so that the event loop stays free."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from genpulse.provider import ProviderRejected

T = TypeVar("T")
THREADS = 2
_HOW = "pip install 'genpulse[sandbox]'"


class Workbench:
    """Runs functions in threads that start when the first one comes."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="sandbox")

    async def run(self, work: Callable[[], T]) -> T:
        """The result of the function. Raises `ProviderRejected` when a library is missing or does not load."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except ModuleNotFoundError as error:
            raise ProviderRejected(f"The sandbox needs {error.name}, which is not installed: {_HOW}") from error
        except ImportError as error:
            raise ProviderRejected(f"A library of the sandbox does not load ({error}); try {_HOW}") from error

    async def close(self) -> None:
        """Let what runs end by itself; what waits is dropped."""
        self._threads.shutdown(wait=False, cancel_futures=True)
