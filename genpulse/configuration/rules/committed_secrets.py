"""Secrets in files that everybody has who has the repository."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import parse_qsl

from genpulse.configuration.documents.masking import has_secret_name, is_secret
from genpulse.configuration.errors import Fault
from genpulse.configuration.sources.layers import Layer, leaves
from genpulse.configuration.sources.project import Project
from genpulse.configuration.sources.repository import is_tracked
from genpulse.configuration.sources.variables import variable_name

_PASSWORD = re.compile(r"://[^/\s:@]*:(?!\d+(?:[/?#]|$))[^\s@]+@|https?://[^/\s@]+@", re.IGNORECASE)
"""A URL with one. In a web address the user alone is one, too: that is where tokens stand."""
LOOKS_SECRET = re.compile(
    r"(?<![A-Za-z0-9])(?:(?:sk|pk|rk|gp|gh[opsu]|xox[abp]|glpat|hf|r8|whsec)[_-]|github_pat_)[\w-]{12,}"
    r"|AKIA[A-Z0-9]{12,}|AIza[\w-]{20,}|://[^/\s:@]+:[^/\s@]+@|eyJ\w{20,}"
    r"|\b(?:Basic|Bearer) [\w+/=.-]{12,}|-----BEGIN [A-Z ]*PRIVATE KEY"
)
"""What vendors' keys begin with."""
_PATH = re.compile(r"[~/.]")


def committed_secrets(layers: Sequence[Layer]) -> Iterator[Fault]:
    """Keys of committed layers whose value is a secret. An address without a password in it is none."""
    for layer in layers:
        for key in leaves(layer.values):
            if any(_is_one(key, value) for value in _single(layer.get(key))):
                yield Fault(key, layer.place(key), f"this is a secret in a committed file: {_mend(key)}")


def _single(value: object) -> Iterator[object]:
    """Yield the single values in a value: a list's own, on every level."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _single(each)
    elif value:
        yield value


def _is_one(key: str, value: object) -> bool:
    return _holds_secret(value) or (is_secret(key) and not _is_bare_address(key, value))


def _mend(key: str) -> str:
    return f"move it to {variable_name(key)} (the process environment, or .env), and change it at its owner's"


def _holds_secret(value: object) -> bool:
    if not isinstance(value, str):
        return False
    return bool(_PASSWORD.search(value) or LOOKS_SECRET.search(value)) or _has_secret_query(value)


def _has_secret_query(url: str) -> bool:
    """Whether a key in the query of a URL is called as secrets are; a path of a file is none."""
    _, separator, query = url.partition("?")
    if "://" not in url or not separator:
        return False
    pairs = parse_qsl(query.partition("#")[0])
    return any(has_secret_name(name) and not _PATH.match(value) for name, value in pairs)


def _is_bare_address(key: str, value: object) -> bool:
    """Whether it is a URL, of which `_holds_secret` has seen all, and not a secret itself."""
    scheme, separator, _ = str(value).partition("://")
    return key.endswith("url") and bool(separator and scheme)


def committed_dotenv(project: Project) -> Iterator[Fault]:
    """Whether `.env` itself is committed, or the file that it leads to."""
    files = {project.secrets, project.secrets.resolve()} if project.secrets.exists() else set()
    if any(_in_repository(file.parent) and is_tracked(file) for file in files):
        yield Fault(
            "", project.secrets.name, "it is committed: git rm --cached .env, and change every secret in it."
        )


def _in_repository(folder: Path) -> bool:
    return any((each / ".git").exists() for each in (folder, *folder.parents))
