"""The GenPulse that build info is written into: where it is, and whether it was built from this repository."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from genpulse.branching.errors import ReleaseRefused, RepositoryUnfit
from genpulse.branching.git.repository import Repository
from genpulse.environment import build_info

_NAME = "genpulse"
_READER = Path(build_info.__file__).relative_to(build_info.PACKAGE).as_posix()
"""The module that reads a stamp, wherever it lies: a package without it would not heed one."""
_MARKS = ("__init__.py", _READER)
_BELOW = (_NAME, f"lib/python*/site-packages/{_NAME}", f"lib/python*/dist-packages/{_NAME}")
_SHA1 = 40
_SHOWN = 3


def package_in(folder: Path) -> Path:
    """The GenPulse that is installed in a folder: a virtual environment, a folder of packages, or the package.

    Raises `RepositoryUnfit` where there is none, or more than one.
    """
    places = {folder, *(path for pattern in _BELOW for path in folder.glob(pattern))}
    packages = [path for path in sorted(places) if all((path / name).is_file() for name in _MARKS)]
    if len(packages) == 1:
        return packages[0]
    rule = "A stamp is written into a GenPulse that is installed."
    listed = ", ".join(map(str, packages))
    finding = f"in {folder} there is more than one: {listed}." if packages else f"in {folder} there is none."
    note = "Name the virtual environment, or the folder of packages: --into FOLDER"
    raise RepositoryUnfit("path_in_the_way", rule, finding, note=note)


def is_of(repository: Repository) -> bool:
    """Whether the repository is GenPulse's own, or one that carries it."""
    return any(name == f"{_NAME}/{_MARKS[-1]}" for name, _ in _committed(repository))


def demand_installed(repository: Repository, package: Path) -> None:
    """Raises `ReleaseRefused` where a repository of GenPulse is out at another GenPulse than the installed one."""
    committed = {name: blob for name, blob in _committed(repository) if name.endswith(".py")}
    blobs = {name.removeprefix(f"{_NAME}/"): blob for name, blob in committed.items()}
    there = {path.relative_to(package).as_posix(): path for path in package.rglob("*.py")}
    differing = sorted(
        name
        for name in blobs.keys() | there.keys()
        if name not in there or name not in blobs or _blob(there[name], blobs[name]) != blobs[name]
    )
    if not differing:
        return
    listing = ", ".join(differing[:_SHOWN]) + (", …" if len(differing) > _SHOWN else "")
    raise ReleaseRefused(
        "stamp_of_another_build",
        "A stamp says what is installed.",
        f"{package} is another GenPulse than the commit that is checked out: {len(differing)} of its files differ"
        f" ({listing}).",
        note="Install GenPulse from this commit first, or check out the one that is installed.",
    )


def _committed(repository: Repository) -> Iterator[tuple[str, str]]:
    """Files of the package at HEAD, and the ids of their contents."""
    rows = repository.git("ls-tree", "-r", "-z", "--full-tree", "HEAD", "--", _NAME).fields
    for row in rows:
        facts, _, name = row.partition("\t")
        yield name, facts.split()[-1]


def _blob(path: Path, like: str) -> str:
    """The id that git gives to the content of a file, by the algorithm of another id."""
    content = path.read_bytes()
    hashed = hashlib.new("sha1" if len(like) == _SHA1 else "sha256", usedforsecurity=False)
    hashed.update(f"blob {len(content)}\0".encode() + content)
    return hashed.hexdigest()
