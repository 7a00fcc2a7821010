"""The git repository that a folder lies in, as far as the configuration asks about it."""

import os
import subprocess
from pathlib import Path

_NO_ANSWER = 128
"""What git says where there is no repository."""


def is_in_work_tree(folder: Path) -> bool:
    """Whether what lies in a folder can be committed. Nobody commits from where git is missing."""
    return _git(folder, "rev-parse", "--is-inside-work-tree") == 0


def is_tracked(file: Path) -> bool:
    """Whether a file is in the index, and so in the next commit."""
    return _git(file.parent, "ls-files", "--error-unmatch", "--", file.name) == 0


def is_ignored(file: Path) -> bool:
    """Whether git passes a file over, were it not tracked."""
    return _git(file.parent, "check-ignore", "--quiet", "--no-index", "--", file.name) == 0


def _git(folder: Path, *arguments: str) -> int:
    """The exit code.

    The folder may be another user's, as in a container. What a hook says about its own repository (`GIT_DIR`,
    `GIT_INDEX_FILE` and more) is not passed on: it may be another one than the folder's.
    """
    command = ["git", "-c", "safe.directory=*", *arguments]
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        return subprocess.run(command, cwd=folder, env=own, capture_output=True, check=False).returncode
    except OSError:
        return _NO_ANSWER
