"""Secrets in files that everybody has who has the repository."""

import re
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from genpulse.configuration.errors import Fault
from genpulse.configuration.layers import Layer, leaves
from genpulse.configuration.masking import has_secret_name, is_secret
from genpulse.configuration.project import Project
from genpulse.configuration.variables import variable_name

_PASSWORD = re.compile(r"://[^/\s:@]*:[^/\s@]+@")


def committed_secrets(layers: Sequence[Layer]) -> Iterator[Fault]:
    """Keys of committed layers whose value is a secret. An address without a password in it is none."""
    for layer in layers:
        for key in leaves(layer.values):
            value = layer.get(key)
            if value and (_holds_password(value) or (is_secret(key) and not _is_bare_address(key, value))):
                yield Fault(key, layer.place(key), f"this is a secret in a committed file: {_mend(key)}")


def _mend(key: str) -> str:
    return f"move it to {variable_name(key)} (the process environment, or .env), and change it at its owner's"


def _holds_password(value: object) -> bool:
    return isinstance(value, str) and _PASSWORD.search(value) is not None


def _is_bare_address(key: str, value: object) -> bool:
    """Whether it is a URL that says nothing but where something is."""
    parts = urlsplit(str(value))
    if not key.endswith("url") or not parts.scheme:
        return False
    return not any(has_secret_name(name) for name, _ in parse_qsl(parts.query, keep_blank_values=True))


def committed_dotenv(project: Project) -> Iterator[Fault]:
    """Whether `.env` itself is committed."""
    if project.secrets.exists() and _in_repository(project.root) and _is_tracked(project.root):
        yield Fault(
            "", project.secrets.name, "it is committed: git rm --cached .env, and change every secret in it."
        )


def _in_repository(folder: Path) -> bool:
    return any((each / ".git").exists() for each in (folder, *folder.parents))


def _is_tracked(folder: Path) -> bool:
    """False too where git is missing: then nobody commits from here."""
    command = ["git", "ls-files", "--error-unmatch", "--", ".env"]
    try:
        return subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode == 0
    except OSError:
        return False
