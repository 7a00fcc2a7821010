"""How much memory of this process something needs at its most, whoever allocates it."""

import gc
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

MIB = 1 << 20
_STATUS = Path("/proc/self/status")
_RESET = Path("/proc/self/clear_refs")


@dataclass
class Peak:
    """Bytes more than at the beginning; None where the system does not tell."""

    bytes: int | None = None

    def stays_below(self, mebibytes: float) -> bool:
        return self.bytes is None or self.bytes < mebibytes * MIB


@contextmanager
def peak() -> Iterator[Peak]:
    """The greatest resident set within the body, beyond that before it (Linux, proc(5): `clear_refs`)."""
    found = Peak()
    if not _RESET.exists():
        yield found
        return
    gc.collect()
    _RESET.write_text("5")
    before = _bytes("VmRSS")
    yield found
    found.bytes = _bytes("VmHWM") - before


def _bytes(name: str) -> int:
    line = re.search(rf"^{name}:\s+(\d+) kB$", _STATUS.read_text(), re.MULTILINE)
    assert line is not None
    return int(line[1]) * 1024
