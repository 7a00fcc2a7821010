"""Build info of an image: version, commit and repository. Commands and messages call its file a stamp."""

import hashlib
import json
import re
from dataclasses import asdict, dataclass, fields, replace
from functools import lru_cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
"""The GenPulse that runs here."""
BUILD_FILE = PACKAGE / "build.json"
"""The file of the build info in a built image. A work tree has none, and git ignores it."""
_FINAL = re.compile(r"v(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")
_SHORT = 10
_COMPILED = "__pycache__"


class BrokenBuildInfo(Exception):
    """The build info cannot be read, or is that of another GenPulse than the one that its file lies in."""


@dataclass(frozen=True, slots=True)
class Build:
    """The commit that an image was built from. `tag` is empty without one; `dirty`: files were changed besides.

    `repository` is the address of the remote by which the tag was verified, without a login; empty without one.
    `package` is the digest of the GenPulse that this was written into; empty where it was written to a file.
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


def read_build_info(path: Path = BUILD_FILE) -> Build | None:
    """The build info; None where nothing was built. Raises `BrokenBuildInfo`."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BrokenBuildInfo(f"{path} cannot be read ({error.strerror}); build the image again") from error
    build = _parsed(text, path)
    if build.package and build.package != _digest_once(path.parent):
        raise BrokenBuildInfo(
            f"{path} was written for other files of GenPulse than those beside it, which somebody has changed or"
            f" upgraded since ({build}); build the image again, or take the stamp back:"
            " genpulse flow stamp --remove"
        )
    return build


def is_build_info(path: Path) -> bool:
    """Whether a file holds build info, of whatever GenPulse. Raises `OSError`."""
    try:
        _parsed(path.read_text(encoding="utf-8"), path)
    except (BrokenBuildInfo, UnicodeDecodeError):
        return False
    return True


def _parsed(text: str, path: Path) -> Build:
    again = "build the image again, or take the stamp back: genpulse flow stamp --remove"
    try:
        document = json.loads(text)
        build = Build(**document)
    except (ValueError, TypeError) as error:
        raise BrokenBuildInfo(f"{path} is no build stamp ({error}); {again}") from error
    for field in fields(Build):
        kind = bool if field.name == "dirty" else str
        if not isinstance(getattr(build, field.name), kind):
            raise BrokenBuildInfo(f"{path} is no build stamp ({field.name} is no {kind.__name__}); {again}")
    return build


def product_version(path: Path = BUILD_FILE) -> str:
    """The version that runs here: that of the build info, which is its tag's, else that of the installed package.

    Raises `BrokenBuildInfo`.
    """
    from importlib.metadata import version

    build = read_build_info(path)
    return build.version if build else version("genpulse")


def write_build_info(build: Build, path: Path = BUILD_FILE) -> None:
    """Write the build info there, whole or not at all. Raises `OSError`."""
    part = path.with_name(f"{path.name}.part")
    try:
        part.write_text(json.dumps(asdict(build), indent=2) + "\n", encoding="utf-8")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_into_package(build: Build, package: Path) -> Build:
    """Write the build info into a GenPulse, for its files as they are now; returns it. Raises `OSError`."""
    bound = replace(build, package=package_digest(package))
    write_build_info(bound, package / BUILD_FILE.name)
    return bound


def package_digest(package: Path) -> str:
    """SHA-256 over the names and bytes of all that belongs to a GenPulse, without its build info."""
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*")):
        name = path.relative_to(package)
        if _COMPILED in name.parts or name.name.startswith(BUILD_FILE.name) or not path.is_file():
            continue
        digest.update(f"{name.as_posix()}\0".encode(errors="surrogateescape"))
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


@lru_cache(maxsize=4)
def _digest_once(package: Path) -> str:
    """A process goes on with the code that it has read, whatever becomes of the files."""
    return package_digest(package)
