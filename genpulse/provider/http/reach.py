"""The hosts that files may be fetched from."""

from dataclasses import dataclass

from yarl import URL

from genpulse.provider.http.address import exact, is_under, origin, plain_path


@dataclass(frozen=True, slots=True)
class Reach:
    """The addresses that are reached besides public ones over https; none of them with credentials.

    `hosts` are names that the operator allows, in lower case, with `:port` where one port alone is meant. `own` is
    the vendor's base URL: its scheme, host and port are reached wherever they lie, but for the paths `closed`
    and whatever lies below them, which are refused: there the vendor answers about the account. "/" closes all.
    """

    hosts: frozenset[str] = frozenset()
    own: str = ""
    closed: tuple[str, ...] = ()

    def covers(self, url: URL) -> bool:
        """Whether it may be fetched wherever it lies."""
        if url.scheme not in {"http", "https"}:
            return False
        return self._is_own(url) or bool({url.raw_host, f"{url.raw_host}:{url.port}"} & self.hosts)

    def refuses(self, url: URL) -> bool:
        """Whether it lies where the vendor answers about the account, or may do so."""
        if not self._is_own(url):
            return False
        try:
            path = plain_path(url).lower()
        except ValueError:
            return True
        return any(path == prefix.rstrip("/").lower() or is_under(path, prefix.lower()) for prefix in self.closed)

    def _is_own(self, url: URL) -> bool:
        return bool(self.own) and origin(exact(self.own)) == origin(url)


PUBLIC = Reach()
"""Public addresses over https, and nothing else."""
