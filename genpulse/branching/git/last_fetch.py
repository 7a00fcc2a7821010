"""When the remote was last asked with success, by this tool or by git itself."""

import re
from pathlib import Path
from urllib.parse import quote

from genpulse.branching.git.place import place_of
from genpulse.branching.git.process import Git

_USER = re.compile(r"(?<=://)[^/@\s]+@")


def remember_fetch(git: Git, remote: str) -> None:
    """Record that the remote was asked now."""
    path = _fetch_record(git, remote)
    path.parent.mkdir(exist_ok=True)
    path.touch()


def last_fetch(git: Git, remote: str) -> float | None:
    """The time of the last successful fetch, in seconds since 1970; None when it is not known."""
    times = [path.stat().st_mtime for path in (_fetch_record(git, remote), *_by_git(git, remote)) if path.exists()]
    return max(times, default=None)


def _fetch_record(git: Git, remote: str) -> Path:
    return place_of(git).common / "genpulse-flow" / f"fetched-{quote(remote, safe='')}"


def _by_git(git: Git, remote: str) -> tuple[Path, ...]:
    """FETCH_HEAD, which git empties before it asks, and in which it then says what it got from where."""
    path = place_of(git).fetch_head
    place = _USER.sub("", git("remote", "get-url", "--", remote).line).rstrip("/").removesuffix(".git")
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    return (path,) if any(line.endswith(f" of {place}") for line in text.splitlines()) else ()
