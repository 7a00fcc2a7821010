"""Watching the code for changes."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from watchfiles import Change, awatch

_SUFFIXES = (".py", ".yaml", ".json")
_SHOWN = 3


async def changes(folders: Sequence[Path], *, is_deep: bool = True) -> AsyncIterator[str]:
    """The names of changed files, each time some have changed; those that come together are told together.

    `is_deep`: what lies in folders of these folders counts, too.
    """
    async for changed in awatch(*folders, watch_filter=_counts, recursive=is_deep):
        names = sorted({Path(path).name for _, path in changed})
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        yield ", ".join(names[:_SHOWN]) + more


def _counts(_change: Change, path: str) -> bool:
    return path.endswith(_SUFFIXES) and "__pycache__" not in path
