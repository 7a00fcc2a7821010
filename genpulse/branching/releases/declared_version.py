"""The version that a package declares of itself: whether it is that of the tag, and how it is set."""

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from genpulse.branching.errors import NameRefused, ReleaseRefused
from genpulse.branching.git.repository import Repository
from genpulse.branching.rules.versions import Version, version_named

_PLACEHOLDERS = {"0.0.0", "0.0.0-development", "0.0.0.dev0", "0.0.0-semantically-released"}
_TABLES = {"pyproject.toml": (("project",), ("tool", "poetry")), "Cargo.toml": (("package",),)}
_RULE = "The version that a package declares is that of its tag."
_IN_JSON = re.compile(r'^(\s*"version"\s*:\s*")[^"]*(")', re.MULTILINE)
_IN_TOML = re.compile(r'^(\s*version\s*=\s*["\'])[^"\']*(["\'])', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Declaration:
    """A file of a commit that declares a version, with the text of it, its version, and its mode in git."""

    path: str
    version_text: str
    content: str
    mode: str

    @property
    def version(self) -> Version | None:
        """The version that is declared; None for text that is no version here, such as `1.2.0.dev0`."""
        try:
            return version_named(self.version_text)
        except NameRefused:
            return None

    def set_to(self, version: Version) -> str:
        """The content with this version in it."""
        pattern = _IN_JSON if self.path.endswith(".json") else _IN_TOML
        start = 0 if self.path.endswith(".json") else _table_start(self.content, self.path)
        head, rest = self.content[:start], self.content[start:]
        return head + pattern.sub(rf"\g<1>{version.final}\g<2>", rest, count=1)


def declared_at(repository: Repository, commit: str) -> tuple[Declaration, ...]:
    """The declarations in a commit's files of the setting `declared_in`; files without one are left out."""
    paths = repository.policy.declared_in
    rows = repository.git.lasting("ls-tree", "-z", "--full-tree", commit, "--", *paths).fields if paths else ()
    declarations = (_declaration(repository, *row.split("\t", 1)) for row in rows)
    return tuple(each for each in declarations if each is not None)


def demand_declared(repository: Repository, commit: str, version: Version) -> None:
    """Raises `ReleaseRefused` when a package in the commit declares another version than this one."""
    wrong = [each for each in declared_at(repository, commit) if each.version != version.final]
    if not wrong:
        return
    finding = "\n".join(
        f"{each.path} declares {each.version_text}, and the tag would be {version.tag}." for each in wrong
    )
    other = wrong[0].version
    take = (f"genpulse flow rc --version {other.final}",) if other and _is_open(repository, other.final) else ()
    note = (
        "--bump brings the version into dev, as any other change. `declared_in = []` in .flow.toml looks at none."
    )
    bump = f"genpulse flow rc --version {version.final} --bump"
    raise ReleaseRefused("declared_version_differs", _RULE, finding, *take, bump, note=note)


def declared_wish(repository: Repository, commit: str) -> Version | None:
    """The release that the packages in a commit say they are, when they agree and it can still be released."""
    versions = {each.version for each in declared_at(repository, commit)}
    version = versions.pop() if len(versions) == 1 else None
    return version if version and version.candidate is None and _is_open(repository, version) else None


def _is_open(repository: Repository, version: Version) -> bool:
    finals = [other for other in repository.refs.versions if other.candidate is None]
    return all(version > other for other in finals)


def _declaration(repository: Repository, head: str, path: str) -> Declaration | None:
    mode, kind, blob = head.split(" ")
    if kind != "blob":
        return None
    content = repository.git.lasting("cat-file", "blob", blob).out
    text = _version_text(PurePosixPath(path).name, content)
    return Declaration(path, text, content, mode) if text and text not in _PLACEHOLDERS else None


def _version_text(name: str, content: str) -> str:
    """Empty where the file says nothing, is not to be published, or cannot be read."""
    try:
        if name == "package.json":
            document = json.loads(content)
            return "" if document.get("private") is True else str(document.get("version", ""))
        tables = _TABLES.get(name, ())
        parsed = tomllib.loads(content)
    except (ValueError, AttributeError):
        return ""
    versions = (_below(parsed, table).get("version") for table in tables)
    return next((version for version in versions if isinstance(version, str)), "")


def _below(document: Mapping[str, object], table: tuple[str, ...]) -> Mapping[str, object]:
    for key in table:
        inner = document.get(key)
        document = inner if isinstance(inner, dict) else {}
    return document


def _table_start(content: str, path: str) -> int:
    for table in _TABLES.get(PurePosixPath(path).name, ()):
        header = re.search(rf"^\[{re.escape('.'.join(table))}\]", content, re.MULTILINE)
        if header:
            return header.end()
    return 0
