"""What was built: a stamp that is written into an image, so that everybody can tell what runs there."""

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path

STAMP = Path(__file__).with_name("build.json")
"""Where the stamp lies in a built image. A work tree has none, and git ignores it."""
_FINAL = re.compile(r"v(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")
_SHORT = 10


class BrokenStamp(Exception):
    """The stamp is there and cannot be read."""


@dataclass(frozen=True, slots=True)
class Build:
    """What git said when the image was built. `tag` is empty without one; `dirty`: files were changed besides."""

    version: str
    commit: str
    tree: str
    tag: str = ""
    dirty: bool = False

    @property
    def is_final(self) -> bool:
        """Whether this is exactly what a final tag names."""
        return _FINAL.fullmatch(self.tag) is not None and not self.dirty

    def __str__(self) -> str:
        name = self.tag or f"{self.version}, no tag"
        return f"{name}, commit {self.commit[:_SHORT]}" + (", with changes besides" if self.dirty else "")


def read_stamp(path: Path = STAMP) -> Build | None:
    """The stamp; None where nothing was built. Raises `BrokenStamp`."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BrokenStamp(f"{path.name} cannot be read ({error.strerror}); build the image again") from error
    try:
        return Build(**json.loads(text))
    except (ValueError, TypeError) as error:
        raise BrokenStamp(f"{path.name} is no build stamp ({error}); build the image again") from error


def product_version(path: Path = STAMP) -> str:
    """What runs here: the version that the stamp tells, which is its tag's, else that of the installed package.

    Raises `BrokenStamp`.
    """
    from importlib.metadata import version

    stamp = read_stamp(path)
    return stamp.version if stamp else version("genpulse")


def write_stamp(build: Build, path: Path = STAMP) -> None:
    """Put the stamp there, whole or not at all."""
    part = path.with_name(f"{path.name}.part")
    part.write_text(json.dumps(asdict(build), indent=2) + "\n", encoding="utf-8")
    part.replace(path)
