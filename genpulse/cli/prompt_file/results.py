"""What became of rows: a line of JSON for each, in a file beside the outputs that only ever grows."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genpulse.cli.errors import CommandRefused
from genpulse.cli.prompt_file.row_orders import RowOrder, results_name
from genpulse_client import Task


@dataclass(frozen=True, slots=True)
class SavedFile:
    """A file below the folder, and its size in bytes."""

    name: str
    size: int


class Results:
    """The results in a folder: which rows are done, so that nothing is asked of the API for them."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self.path = folder / results_name(name)
        self._saved = _saved(self.path)

    def has(self, row: RowOrder) -> bool:
        """Whether every file of this row was saved, and is there."""
        files = self._saved.get(row.key)
        return files is not None and all(_size(self._folder / file.name) == file.size for file in files)

    def saved(self, row: RowOrder, task: Task, files: Sequence[SavedFile]) -> None:
        """Note that all files of a row are there. Raises `CommandRefused`."""
        self._saved[row.key] = tuple(files)
        found = [{"name": file.name, "bytes": file.size} for file in files]
        self._add({**_said(row, task), "files": found})

    def failed(self, row: RowOrder, task: Task) -> None:
        """Note how a task ended that has not succeeded. Raises `CommandRefused`."""
        error = task.error
        words = {"code": error.code, "message": error.message, "retryable": error.retryable} if error else None
        self._add({**_said(row, task), "error": words})

    def _add(self, document: Mapping[str, Any]) -> None:
        """One write for a line: two commands at once do not mix theirs, and a torn one stands alone."""
        line = f"{json.dumps(document, ensure_ascii=False)}\n".encode("utf-8", "surrogatepass")
        try:
            with self.path.open("ab") as file:
                if file.tell() and not _ends_whole(self.path):
                    line = b"\n" + line
                file.write(line)
        except OSError as error:
            raise CommandRefused(f"{self.path} cannot be written: {error.strerror}.") from error


def _said(row: RowOrder, task: Task) -> Mapping[str, Any]:
    return {"line": row.line, "key": row.key, "task": task.id, "status": task.status}


def _ends_whole(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


def _saved(path: Path) -> dict[str, tuple[SavedFile, ...]]:
    """Files by the keys of their rows. Raises `CommandRefused`."""
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise CommandRefused(f"{path} cannot be read: {error.strerror}.") from error
    return dict(found for line in lines if (found := _entry(line)))


def _entry(line: bytes) -> tuple[str, tuple[SavedFile, ...]] | None:
    """None for a line that says of nothing saved, or that was cut off."""
    try:
        document = json.loads(line)
        files = tuple(SavedFile(file["name"], file["bytes"]) for file in document["files"])
        return str(document["key"]), files
    except (ValueError, KeyError, TypeError):
        return None


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size if path.is_file() else None
    except OSError:
        return None
