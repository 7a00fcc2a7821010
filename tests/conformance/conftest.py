"""Notes what every check says about every provider, for the table in the reference."""

import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from genpulse.testing import Check, Lacking, Subject

Note: TypeAlias = Callable[[str, Check, Subject], Awaitable[None]]
NOTES = "GENPULSE_CONFORMANCE_NOTES"


@pytest.fixture
def note() -> Note:
    """Run a check. One that a vendor gives no occasion for passes, with its reason in the notes."""

    async def run(provider: str, check: Check, subject: Subject) -> None:
        result = "yes"
        try:
            await check(subject)
        except Lacking as reason:
            result = f"none: {reason}"
        _write(provider, check.name, result)

    return run


def _write(provider: str, check: str, result: str) -> None:
    folder = os.environ.get(NOTES)
    if folder:
        with (Path(folder) / provider).open("a") as notes:
            notes.write(f"{check}\t{result}\n")
