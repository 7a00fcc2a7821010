"""The pages laid into a folder, and MkDocs let loose on them."""

import hashlib
import json
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from genpulse.api.app import create_app
from genpulse.api.options import ApiOptions
from website import calls, error_codes, for_models, limits
from website.navigation import menu, sections
from website.pages import Page, pages

ROOT = Path(__file__).parents[1]
_HERE = Path(__file__).parent
_MERMAID_SHA256 = "581ed7d74bd9048d0e3a91363927d72ef22942d7722546b27f7cc29e35390eb8"
"""Of the version that the Makefile names."""
_MEDIA = (".svg", ".jpg", ".png", ".json")


class BuildFailed(Exception):
    """The site was not made; the message says why."""


def all_pages(document: Mapping[str, Any]) -> list[Page]:
    """The pages of the repository, and those that are made. `document` is the OpenAPI document."""
    return [*pages(ROOT), calls.page(document), error_codes.page(), limits.page(document)]


def openapi_document() -> dict[str, Any]:
    """The document as any API of this version gives it, without a server."""
    return create_app(lambda: None, ApiOptions(version=version("genpulse"))).openapi()  # type: ignore[arg-type, return-value]


def build(mkdocs: Path, mermaid: Path, site: Path) -> int:
    """Write the site anew. Returns how many pages it has. Raises `BuildFailed`, `NoHeading`.

    `mkdocs` is the program, `mermaid` the script that draws diagrams.
    """
    _check(mkdocs, mermaid)
    with tempfile.TemporaryDirectory(prefix="genpulse-site-") as name:
        folder = Path(name)
        document = openapi_document()
        found = all_pages(document)
        _lay(found, folder / "docs", document)
        shutil.copytree(_HERE / "theme", folder / "theme")
        shutil.copy(mermaid, folder / "theme/assets/mermaid.min.js")
        settings = (_HERE / "mkdocs.yml").read_text(encoding="utf-8")
        (folder / "mkdocs.yml").write_text(f"{settings}\nnav: {json.dumps(menu(sections(found)))}\n")
        _run([str(mkdocs), "build", "--strict", "-f", str(folder / "mkdocs.yml"), "-d", str(site)])
        for page in found:
            (site / page.place).write_text(page.text, encoding="utf-8")
    return len(found)


def _check(mkdocs: Path, mermaid: Path) -> None:
    for path in (mkdocs, mermaid):
        if not path.is_file():
            raise BuildFailed(f"There is no {path}; `make docs` brings it.")
    found = hashlib.sha256(mermaid.read_bytes()).hexdigest()
    if found != _MERMAID_SHA256:
        raise BuildFailed(
            f"{mermaid} has the SHA-256 {found}, and {_MERMAID_SHA256} is expected. Remove .venv/.site-ready and"
            " run `make docs` again; with a new version in the Makefile, write its digest into website/build.py."
        )


def _lay(found: Sequence[Page], folder: Path, document: Mapping[str, Any]) -> None:
    for path in (ROOT / "docs").rglob("*"):
        if path.suffix in _MEDIA:
            _written(folder / path.relative_to(ROOT / "docs"), path.read_bytes())
    for page in found:
        _written(folder / page.place, page.text.encode())
    order = sections(found)
    _written(folder / "openapi.json", json.dumps(document, indent=1).encode())
    _written(folder / "llms.txt", for_models.list_of_pages(order).encode())
    _written(folder / "llms-full.txt", for_models.all_pages(order).encode())


def _written(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _run(command: Sequence[str]) -> None:
    if subprocess.run(command, check=False).returncode:
        raise BuildFailed(f"{' '.join(command[:2])} has found something wrong; it stands above.")
