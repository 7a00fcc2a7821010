"""Addresses of PostgreSQL: as libpq writes them, and as the driver reads them."""

import ssl
from pathlib import Path

from genpulse.addresses.authority import wrong_authority, wrong_end, wrong_port
from genpulse.addresses.query import Query, missing_file, unknown_key, wrong_word
from genpulse.addresses.url import Url

SCHEMES = frozenset({"postgresql", "postgres", "postgresql+asyncpg"})
_WANTED = "target_session_attrs"
_WRITABLE = "read-write"
_SYSTEM = "system"
_POOLER_HINT = "pgbouncer"
_MISREAD = "@[]"
"""The driver ends the password at the first of several `@`, and takes brackets for an IPv6 address."""
_FILES = frozenset({"sslrootcert", "sslcert", "sslkey", "sslcrl"})
_TAKEN = frozenset(
    {
        *("host", "port", "user", "password", "dbname", "database", "passfile", "service", "servicefile"),
        *("sslmode", "sslnegotiation", "sslpassword", "ssl_min_protocol_version", "ssl_max_protocol_version"),
        *("target_session_attrs", "krbsrvname", "gsslib", "options"),
        *_FILES,
    }
)
"""Keys of libpq that asyncpg 0.31 knows, and `options`, which the server itself reads."""
_DROPPED = frozenset(
    {
        *("application_name", "fallback_application_name", "client_encoding", "connect_timeout"),
        *("keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout"),
        *("channel_binding", "gssencmode", "gssdelegation", "require_auth", "requirepeer", "requiressl"),
        *("sslcompression", "sslcertmode", "sslsni", "sslkeylogfile", "sslcrldir"),
        *("load_balance_hosts", "min_protocol_version", "max_protocol_version", "replication"),
    }
)
"""Keys of libpq (PostgreSQL 18's manual, 32.1.2) that the driver would hand to the server, which refuses them."""
_VERIFYING = frozenset({"verify-ca", "verify-full"})
_CERTAIN = frozenset({"require", *_VERIFYING})
_VERSIONS = ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")
_WORDS = {
    "sslmode": ("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
    "sslnegotiation": ("postgres", "direct"),
    "gsslib": ("gssapi", "sspi"),
    "ssl_min_protocol_version": _VERSIONS,
    "ssl_max_protocol_version": _VERSIONS,
    "target_session_attrs": (*("any", "read-write", "read-only", "primary", "standby", "prefer-standby"),),
}


class BadDatabaseAddress(ValueError):
    """The URL means nothing. The message does not repeat it, since it may hold a password."""

    def __init__(self, why: str) -> None:
        super().__init__(f"database_url: {why}. Expected such as postgresql://user:password@host:5432/database.")


def refusal(url: str) -> str:
    """The fault of an address, in words without its secrets; empty when it can be tried."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in SCHEMES:
        return "it must begin with postgresql://, since PostgreSQL is the only database"
    path, query = (read := Url.of(url)).path, read.query
    wrong = wrong_authority(rest, _MISREAD) or wrong_end(rest, takes_query=True)
    wrong = wrong or _pooler_hint(query) or unknown_key(query, _TAKEN | _DROPPED) or wrong_word(query, _WORDS)
    wrong = wrong or _wrong_ports(query) or _wrong_tls(query) or _wrong_authorities(query)
    if wrong:
        return wrong
    if not path.strip("/") and not any(query.get(name) for name in ("dbname", "database", "service")):
        return "it names no database: add /database behind the host"
    return ""


def _pooler_hint(query: Query) -> str:
    """Some drivers are told in the address what stands there."""
    if query.get(_POOLER_HINT) is None:
        return ""
    return (
        f"{_POOLER_HINT} in its query is a word of another driver: take it out, and set database.pooler to session"
        " or transaction, as the pooler there does"
    )


def _wrong_ports(query: Query) -> str:
    ports = (query.get("port") or "").split(",")
    return next((wrong for port in ports if (wrong := wrong_port(f":{port}"))), "")


def _wrong_tls(query: Query) -> str:
    if query.get("sslnegotiation") == "direct" and query.get("sslmode") not in _CERTAIN and not _system(query):
        return f"sslnegotiation=direct goes with sslmode={', '.join(sorted(_CERTAIN))} alone"
    return ""


def _system(query: Query) -> bool:
    return query.get("sslrootcert") == _SYSTEM


def _wrong_authorities(query: Query) -> str:
    """Files of keys and of authorities. `system` is the system's own store, as in libpq."""
    if not _system(query):
        return missing_file(query, _FILES) or _nobody_to_verify_by(query)
    if query.get("sslmode") not in {None, "verify-full"}:
        return "sslrootcert=system goes with sslmode=verify-full alone"
    if system_store() is None:
        return "sslrootcert=system, and this system has no store of authorities: install ca-certificates"
    return missing_file(query, _FILES - {"sslrootcert"})


def _nobody_to_verify_by(query: Query) -> str:
    """The system's store is for names that are verified, too: anybody can have a certificate of some name."""
    if not _needs_authority(query) or (query.get("sslmode") == "verify-full" and system_store()):
        return ""
    return f"sslmode={query.get('sslmode')} needs an authority: add sslrootcert=/path/of/the/authority.pem"


def _needs_authority(query: Query) -> bool:
    """Whether none is named, nor in the user's home, where libpq and the driver look."""
    own = Path("~/.postgresql/root.crt").expanduser()
    return query.get("sslmode") in _VERIFYING and not query.get("sslrootcert") and not own.is_file()


def system_store() -> Path | None:
    """The file with the authorities that this system trusts; None where it has none."""
    paths = ssl.get_default_verify_paths()
    bundles = (paths.cafile, paths.openssl_cafile, "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/cert.pem")
    return next((Path(each) for each in bundles if each and Path(each).is_file()), None)


def plain(url: str) -> str:
    """The address as asyncpg reads it. Raises `BadDatabaseAddress`.

    SQLAlchemy's driver suffix and what only libpq knows are taken off. Several hosts mean the one of them that
    takes writes, unless the address says otherwise.
    """
    if why := refusal(url):
        raise BadDatabaseAddress(why)
    read = Url.of(url)
    query = _trusting(read.query.without(_DROPPED))
    if _names_several(read) and query.get(_WANTED) is None:
        query = query.also(_WANTED, _WRITABLE)
    in_query = any(query.get(name) for name in ("dbname", "database"))
    path = read.path.rstrip("/") if in_query else read.path
    return str(read.named(scheme=read.scheme.partition("+")[0], path=path).asking(query))


def _trusting(query: Query) -> Query:
    store = system_store()
    needs_store = _system(query) or (query.get("sslmode") == "verify-full" and _needs_authority(query))
    if not needs_store or store is None:
        return query
    rest = query.without({"sslrootcert", "sslmode"})
    return rest.also("sslmode", "verify-full").also("sslrootcert", str(store))


def host_by_host(url: str) -> tuple[str, ...]:
    """A URL for each host of a plain one, in order; the URL itself where its hosts have to be seen together."""
    read = Url.of(url)
    if len(read.hosts) < 2 or read.query.get(_WANTED) == "prefer-standby":
        return (url,)
    return tuple(str(read.named(hosts=(host,))) for host in read.hosts)


def host_of(url: str) -> str:
    """Host and port of an address, or several with commas between them."""
    return ",".join(Url.of(url).hosts)


def _names_several(read: Url) -> bool:
    return len(read.hosts) > 1 or "," in (read.query.get("host") or "")
