"""A client that openapi-python-client makes of the document."""

import json
import os
import subprocess
import sys
from pathlib import Path

PACKAGE = "genpulse_api"
USE = Path(__file__).with_name("use_python.py")


def generated(document: str, folder: Path) -> Path:
    """The folder with the package `genpulse_api`; whatever the generator warns of is an error."""
    (folder / "openapi.json").write_text(document)
    settings = folder / "generator.json"
    settings.write_text(json.dumps({"package_name_override": PACKAGE, "post_hooks": []}))
    script = Path(sys.executable).with_name("openapi-python-client")
    words = (
        "generate",
        "--path",
        "openapi.json",
        "--config",
        settings.name,
        "--meta",
        "none",
        "--fail-on-warning",
    )
    made = subprocess.run([script, *words], cwd=folder, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout + made.stderr
    return folder


def use(url: str, key: str, model: str) -> list[str]:
    """The command that uses it."""
    return [sys.executable, "-W", "error", str(USE), url, key, model]


def environment(folder: Path) -> dict[str, str]:
    """Where Python and mypy find the package."""
    return {"PATH": os.defpath, "PYTHONPATH": str(folder), "MYPYPATH": str(folder)}
