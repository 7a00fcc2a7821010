"""The sign of life of a worker: a file that it writes, and that an orchestrator's probe reads.

It is written by the event loop that does the work, so one that is blocked writes none. It asks no server: while
PostgreSQL is slow or away it is written as ever. A step that has to end soon and does not is named in it.
"""

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from genpulse.background.loops import Loops

EVERY_S = 5.0
SILENT_S = 30.0
"""Seconds without a sign after which a worker is taken for stuck or gone."""


@dataclass(frozen=True, slots=True)
class SignOfLife:
    """When it was written, in seconds of the machine's monotonic clock, and for how long which steps are stuck."""

    at_s: float
    stuck_s: Mapping[str, float] = field(default_factory=dict)

    def fault(self, now_s: float) -> str | None:
        """Why the worker is not well; None where it is. `now_s` is of the same clock."""
        age_s = now_s - self.at_s
        if not 0 <= age_s <= SILENT_S:
            return f"the worker gave its last sign of life {age_s:.0f} s ago"
        if self.stuck_s:
            steps = ", ".join(f"{name} for {age:.0f} s" for name, age in sorted(self.stuck_s.items()))
            return f"the worker is stuck in {steps}"
        return None


async def show_life(loops: Loops, path: Path | None, longest_s: float) -> None:
    """Write a sign of life now and then until canceled, then remove it. `longest_s` is for each step."""
    if path is None:
        return

    async def show() -> None:
        write_sign(SignOfLife(time.monotonic(), loops.stuck(longest_s)), path)

    try:
        await loops.forever("the sign of life", show, pause_s=EVERY_S, longest_pause_s=EVERY_S)
    finally:
        _remove(path)


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink(missing_ok=True)


def write_sign(sign: SignOfLife, path: Path) -> None:
    """Whole or not at all. Raises `OSError`."""
    part = path.with_name(f"{path.name}.part")
    part.write_text(json.dumps(asdict(sign)), encoding="utf-8")
    part.replace(path)


def fault_in(path: Path, now_s: float) -> str | None:
    """Why the worker that writes this file is not well; None where it is."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        sign = SignOfLife(float(document["at_s"]), {str(k): float(v) for k, v in document["stuck_s"].items()})
    except FileNotFoundError:
        return f"there is no {path}: no worker runs that writes it"
    except OSError as error:
        return f"{path} cannot be read: {error.strerror}"
    except (ValueError, TypeError, KeyError, AttributeError):
        return f"{path} is no sign of life of a worker"
    return sign.fault(now_s)
