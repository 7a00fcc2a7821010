"""Which forge a remote belongs to, by its address."""

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias
from urllib.parse import quote, urlsplit

from genpulse.branching.git import Git

Kind: TypeAlias = Literal["github", "gitlab", "other"]
_SCP = re.compile(r"(?:[^@/:]+@)?([^/:]+):(?!//)(.+)")


@dataclass(frozen=True, slots=True)
class Address:
    """A repository on a forge: the host with its port, and `owner/name`, which on GitLab may have more parts."""

    kind: Kind
    host: str
    path: str

    @property
    def page(self) -> str:
        """Its page for people."""
        return f"https://{self.host}/{self.path}"

    def compare(self, base: str, head: str) -> str:
        """The page on which a person opens a pull request."""
        if self.kind == "gitlab":
            query = f"merge_request[source_branch]={quote(head)}&merge_request[target_branch]={quote(base)}"
            return f"{self.page}/-/merge_requests/new?{query}"
        return f"{self.page}/compare/{quote(base)}...{quote(head)}?expand=1"


def address_of(git: Git, remote: str) -> Address | None:
    """None for a remote that is a folder. `git config flow.forge github|gitlab` names the kind of another host."""
    url = git("remote", "get-url", "--", remote).line
    found = _split(url)
    if found is None:
        return None
    host, path = found
    configured = git("config", "--get", "flow.forge", ok=(0, 1)).line
    return Address(_kind(configured or host.partition(":")[0]), host, path)


def _split(url: str) -> tuple[str, str] | None:
    """Host and path, without user, password and `.git`."""
    parts = urlsplit(url)
    if parts.scheme in {"http", "https", "ssh", "git", "git+ssh"} and parts.hostname:
        port = f":{parts.port}" if parts.port and parts.scheme in {"http", "https"} else ""
        return f"{parts.hostname}{port}", _path(parts.path)
    scp = _SCP.fullmatch(url)
    if scp is None or parts.scheme == "file":
        return None
    return scp[1], _path(scp[2])


def _path(path: str) -> str:
    return path.strip("/").removesuffix(".git")


def _kind(name: str) -> Kind:
    labels = name.lower().split(".")
    if "github" in labels:
        return "github"
    return "gitlab" if "gitlab" in labels else "other"
