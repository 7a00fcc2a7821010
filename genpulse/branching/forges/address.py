"""Finds the forge of a remote by its address."""

import re
import subprocess
from dataclasses import dataclass
from typing import Literal, TypeAlias
from urllib.parse import quote, urlsplit

from genpulse.branching.errors import RepositoryUnfit
from genpulse.branching.forges.program import run_program
from genpulse.branching.git.process import Git

Kind: TypeAlias = Literal["github", "gitlab", "other"]
_SCP = re.compile(r"(?:[^@/:]+@)?([^/:]+):(?!//)(.+)")
_ON_A_FORGE = re.compile(r"[^/~][^/]*/[^/]+")
_SSH = {"ssh", "git+ssh"}
_WEB = {"http", "https", "git"}
_BESIDE_SSH = {"ssh.github.com": "github.com", "altssh.gitlab.com": "gitlab.com"}
"""Where SSH is answered on port 443, and the host whose door that is."""
_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Address:
    """A repository on a forge: the host with its port, and `owner/name`, which on GitLab may have more parts."""

    kind: Kind
    host: str
    path: str

    @property
    def page(self) -> str:
        """The repository's web page."""
        return f"https://{self.host}/{self.path}"

    def compare(self, base: str, head: str) -> str:
        """The page on which a person opens a pull request."""
        if self.kind == "gitlab":
            query = f"merge_request[source_branch]={quote(head)}&merge_request[target_branch]={quote(base)}"
            return f"{self.page}/-/merge_requests/new?{query}"
        return f"{self.page}/compare/{quote(base)}...{quote(head)}?expand=1"


def address_of(git: Git, remote: str) -> Address | None:
    """The address on a forge; None for a remote that is a folder, here or on a server without a forge.

    `git config flow.forge github|gitlab` names the kind of a host whose name does not. Raises `GitFailed`, and
    `RepositoryUnfit` for an address that has none of the forms that git knows.
    """
    url = git("remote", "get-url", "--", remote).line
    place = _over_ssh(url)
    host, path = (_real(place[0], git), place[1]) if place else _over_web(url, remote)
    if not host:
        return None
    configured = git("config", "--get", "flow.forge", ok=(0, 1)).line.strip()
    kind = _kind(configured or host.partition(":")[0])
    if kind == "other" and place and not _ON_A_FORGE.fullmatch(path):
        return None
    return Address(kind, host, path)


def _over_ssh(url: str) -> tuple[str, str] | None:
    """Host and path, without user and `.git`."""
    if "://" not in url:
        scp = _SCP.fullmatch(url)
        return (scp[1], _path(scp[2])) if scp else None
    parts = urlsplit(url)
    return (parts.hostname, _path(parts.path)) if parts.scheme in _SSH and parts.hostname else None


def _over_web(url: str, remote: str) -> tuple[str, str]:
    """Host with port, and path without `.git`; both empty for a folder."""
    parts = urlsplit(url)
    if parts.scheme not in _WEB or not parts.hostname:
        return "", ""
    try:
        port = parts.port
    except ValueError as error:
        note = f"git remote set-url {remote} <address>"
        finding = f"the port of {remote}: {error}."
        raise RepositoryUnfit("remote_address_broken", "A remote has an address.", finding, note=note) from error
    host = parts.hostname.removeprefix("www.")
    return (f"{host}:{port}" if port and parts.scheme != "git" else host), _path(parts.path)


def _real(host: str, git: Git) -> str:
    """The host behind a name of one's own in SSH's configuration, as `git@work:owner/name` uses it."""
    command = ["ssh", "-G", "--", host]
    try:
        configuration = run_program(command, git.folder, git.environment, _SECONDS).stdout
    except (OSError, subprocess.TimeoutExpired):
        configuration = ""
    real = next(
        (line.partition(" ")[2] for line in configuration.splitlines() if line.startswith("hostname ")), host
    )
    return _BESIDE_SSH.get(real, real)


def _path(path: str) -> str:
    return path.rstrip("/").removesuffix(".git").lstrip("/") if not path.startswith("~") else path


def _kind(name: str) -> Kind:
    labels = name.lower().split(".")
    if "github" in labels:
        return "github"
    return "gitlab" if "gitlab" in labels else "other"
