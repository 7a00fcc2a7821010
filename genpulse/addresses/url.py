"""A URL in its parts, as RFC 3986 (3.2 and 3.4) divides it, and with several hosts where drivers take them."""

from dataclasses import dataclass, replace

from genpulse.addresses.authority import login_and_hosts, split
from genpulse.addresses.query import Query


@dataclass(frozen=True, slots=True)
class Url:
    """Each part as it was written. `hosts` have their ports; where none is named there is an empty one.

    `login` is what stands before the `@`, and None without one. `path` begins with its slash; `fragment` is what
    no server is told.
    """

    scheme: str
    login: str | None
    hosts: tuple[str, ...]
    path: str
    query: Query
    fragment: str

    @classmethod
    def of(cls, text: str) -> "Url":
        """Any text is one; without `://` its scheme is empty."""
        scheme, separator, rest = text.partition("://")
        authority, end = split(rest if separator else text)
        login, hosts = login_and_hosts(authority)
        before, _, fragment = end.partition("#")
        path, _, query = before.partition("?")
        return cls(scheme if separator else "", login, hosts, path, Query(query), fragment)

    def named(self, *, scheme: str | None = None, path: str | None = None, hosts: tuple[str, ...] = ()) -> "Url":
        """A copy with another scheme, path or hosts."""
        return replace(
            self,
            scheme=self.scheme if scheme is None else scheme,
            path=self.path if path is None else path,
            hosts=hosts or self.hosts,
        )

    def asking(self, query: Query) -> "Url":
        """A copy with another query."""
        return replace(self, query=query)

    def __str__(self) -> str:
        login = "" if self.login is None else f"{self.login}@"
        query, fragment = f"?{self.query}" if self.query.raw else "", f"#{self.fragment}" if self.fragment else ""
        return f"{self.scheme}://{login}{','.join(self.hosts)}{self.path}{query}{fragment}"
