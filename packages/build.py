"""`make packages`: wheel and sdist of the server and of the Python client, and the npm package.

python packages/build.py <folder> [--npm <command>]
"""

import argparse
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CLIENT = ROOT / "packages/genpulse-client"
TYPESCRIPT = ROOT / "packages/client-typescript"
BESIDE = "genpulse-client @ {root:uri}/packages/genpulse-client"


def client_range() -> str:
    """The versions of the client that a server goes with: those of one minor version, from this one on."""
    version = tomllib.loads((CLIENT / "pyproject.toml").read_text())["project"]["version"]
    major, minor = (int(part) for part in version.split(".")[:2])
    return f"genpulse-client>={version},<{major}.{minor + 1}"


def build_server(folder: Path) -> None:
    """Wheel and sdist, from the sdist of this tree, once that names the client by its versions."""
    with tempfile.TemporaryDirectory(prefix="genpulse-packages-") as name:
        _hatchling(ROOT, Path(name), "-t", "sdist")
        (packed,) = Path(name).glob("*.tar.gz")
        with tarfile.open(packed) as archive:
            archive.extraction_filter = getattr(tarfile, "data_filter", None)  # Python before 3.11.4 has none
            archive.extractall(name)
        source = Path(name) / packed.name.removesuffix(".tar.gz")
        project = source / "pyproject.toml"
        text = project.read_text()
        if text.count(BESIDE) != 1:
            raise SystemExit(f"pyproject.toml has to name {BESIDE!r} once, so that packages can say otherwise.")
        project.write_text(text.replace(BESIDE, client_range()))
        _hatchling(source, folder)


def build_client(folder: Path) -> None:
    """Wheel and sdist."""
    _hatchling(CLIENT, folder)


def build_npm(npm: list[str], folder: Path) -> None:
    """The tarball that `npm publish` would send."""
    words = ("pack", "--offline", "--silent", "--ignore-scripts", "--pack-destination", folder.absolute())
    subprocess.run([*npm, *words], cwd=TYPESCRIPT, check=True)


def _hatchling(source: Path, folder: Path, *options: str) -> None:
    words = ("-m", "hatchling", "build", "-d", folder.absolute(), *options)
    subprocess.run([sys.executable, *words], cwd=source, check=True)


def main() -> int:
    """0 when all are built."""
    parser = argparse.ArgumentParser(prog="python packages/build.py", description=__doc__)
    parser.add_argument("folder", type=Path, help="where they go")
    parser.add_argument(
        "--npm", nargs="+", default=[], help="the command `npm`; without it there is no npm package"
    )
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    build_server(options.folder)
    build_client(options.folder)
    if options.npm:
        build_npm(options.npm, options.folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
