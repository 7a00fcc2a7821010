"""The build stamp of an image: version, commit and repository."""

import hashlib
import json
import re
from dataclasses import asdict, dataclass, fields, replace
from functools import lru_cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
"""The GenPulse that runs here."""
STAMP = PACKAGE / "build.json"
"""Where the stamp lies in a built image. A work tree has none, and git ignores it."""
_FINAL = re.compile(r"v(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")
_SHORT = 10
_MADE_HERE = "__pycache__"


class BrokenStamp(Exception):
    """The stamp is there and cannot be read, or is that of another GenPulse than the one that it lies in."""


@dataclass(frozen=True, slots=True)
class Build:
    """What git said when the image was built. `tag` is empty without one; `dirty`: files were changed besides.

    `repository` is the address of the remote by which the tag was verified, without a login; empty without one.
    `package` is the digest of the GenPulse that the stamp was written into; empty where it was written to a file.
    """

    version: str
    commit: str
    tree: str
    tag: str = ""
    dirty: bool = False
    repository: str = ""
    package: str = ""

    @property
    def is_final(self) -> bool:
        """Whether this is exactly what a final tag names."""
        return _FINAL.fullmatch(self.tag) is not None and not self.dirty

    @property
    def label(self) -> str:
        """Tag and commit, without where they are from: for those whom nobody has let in."""
        name = self.tag or f"{self.version}, no tag"
        return f"{name}, commit {self.commit[:_SHORT]}" + (", with changes besides" if self.dirty else "")

    def __str__(self) -> str:
        return f"{self.label}, of {self.repository}" if self.repository else self.label


def read_stamp(path: Path = STAMP) -> Build | None:
    """The stamp; None where nothing was built. Raises `BrokenStamp`."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BrokenStamp(f"{path} cannot be read ({error.strerror}); build the image again") from error
    build = _parsed(text, path)
    if build.package and build.package != _digest_once(path.parent):
        raise BrokenStamp(
            f"{path} was written for other files of GenPulse than those beside it, which somebody has changed or"
            f" upgraded since ({build}); build the image again, or take the stamp back:"
            " genpulse flow stamp --remove"
        )
    return build


def is_stamp(path: Path) -> bool:
    """Whether a file is a stamp, of whatever files of GenPulse. Raises `OSError`."""
    try:
        _parsed(path.read_text(encoding="utf-8"), path)
    except (BrokenStamp, UnicodeDecodeError):
        return False
    return True


def _parsed(text: str, path: Path) -> Build:
    again = "build the image again, or take the stamp back: genpulse flow stamp --remove"
    try:
        document = json.loads(text)
        build = Build(**document)
    except (ValueError, TypeError) as error:
        raise BrokenStamp(f"{path} is no build stamp ({error}); {again}") from error
    for field in fields(Build):
        wanted = bool if field.name == "dirty" else str
        if not isinstance(getattr(build, field.name), wanted):
            raise BrokenStamp(f"{path} is no build stamp ({field.name} is no {wanted.__name__}); {again}")
    return build


def product_version(path: Path = STAMP) -> str:
    """What runs here: the version that the stamp tells, which is its tag's, else that of the installed package.

    Raises `BrokenStamp`.
    """
    from importlib.metadata import version

    stamp = read_stamp(path)
    return stamp.version if stamp else version("genpulse")


def write_stamp(build: Build, path: Path = STAMP) -> None:
    """Put the stamp there, whole or not at all. Raises `OSError`."""
    part = path.with_name(f"{path.name}.part")
    try:
        part.write_text(json.dumps(asdict(build), indent=2) + "\n", encoding="utf-8")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def stamp_package(build: Build, package: Path) -> Build:
    """Put the stamp into a GenPulse, for its files as they are now; returns what was written. Raises `OSError`."""
    bound = replace(build, package=package_digest(package))
    write_stamp(bound, package / STAMP.name)
    return bound


def package_digest(package: Path) -> str:
    """SHA-256 over the names and bytes of all that belongs to a GenPulse, without its stamp."""
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*")):
        name = path.relative_to(package)
        if _MADE_HERE in name.parts or name.name.startswith(STAMP.name) or not path.is_file():
            continue
        digest.update(f"{name.as_posix()}\0".encode(errors="surrogateescape"))
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


@lru_cache(maxsize=4)
def _digest_once(package: Path) -> str:
    """A process goes on with the code that it has read, whatever becomes of the files."""
    return package_digest(package)
