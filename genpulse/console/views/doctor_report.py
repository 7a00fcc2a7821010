"""What `genpulse doctor` says on this machine: the program itself is run, in a process of its own."""

import asyncio
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

LONGEST_S = 60.0
_COMMAND = (sys.executable, "-m", "genpulse", "doctor", "--json")


@dataclass(frozen=True, slots=True)
class DoctorFinding:
    """One line of it: `level` is ok, warning or wrong; `advice` is what to do when it is not well."""

    name: str
    level: str
    detail: str
    advice: str = ""


_FINDINGS = TypeAdapter(tuple[DoctorFinding, ...])


async def examine(command: Sequence[str] = _COMMAND, longest_s: float = LONGEST_S) -> tuple[DoctorFinding, ...]:
    """What it finds; where it says nothing that can be read, that is the finding."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(longest_s):
            out, _ = await process.communicate()
        return _FINDINGS.validate_json(out)
    except TimeoutError:
        return (DoctorFinding("doctor", "wrong", f"It did not end within {longest_s:g} seconds."),)
    except ValidationError:
        said = f"It ended with {process.returncode}, and said nothing that can be read."
        return (DoctorFinding("doctor", "wrong", said, "run `genpulse doctor` on the machine itself"),)
    finally:
        await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    """Leave nothing behind, where it did not end by itself."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()
