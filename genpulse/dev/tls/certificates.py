"""The certificates of a stack's folder, in `.genpulse/tls`.

The authority is made once, so that whoever has learned to trust it need not do so again. What has run out, or
cannot be read, is made anew.
"""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from genpulse.dev.state import write_private
from genpulse.dev.tls.signing import CERTIFICATE_LASTS, NAMES, Signed, new_authority, new_certificate

RENEWED_BEFORE = timedelta(days=30)
_FOLDER = "tls"


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """`authority` is the certificate to trust; `bundle` has it and the system's own, for a client that takes one
    file and calls other hosts, too. `certificate` and `key` are the server's.
    """

    authority: Path
    bundle: Path
    certificate: Path
    key: Path


def tls_files(home: Path, now: datetime | None = None) -> TlsFiles:
    """The files, as they are or made anew."""
    folder = home / _FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    folder.chmod(0o700)
    files = TlsFiles(*(folder / name for name in ("authority.pem", "bundle.pem", "server.pem", "server.key")))
    now = now or datetime.now(UTC)
    authority_key = folder / "authority.key"
    authority = _read(files.authority, authority_key)
    if authority is None or not _lasts(authority, now, CERTIFICATE_LASTS):
        authority = new_authority(now, home.parent.name)
        write_private(authority_key, authority.key_pem)
        write_private(files.authority, authority.pem)
    write_private(files.bundle, authority.pem + _system_authorities())
    server = _read(files.certificate, files.key)
    if server is None or not _is_good(server, authority, now):
        server = new_certificate(authority, now)
        write_private(files.key, server.key_pem)
        write_private(files.certificate, server.pem)
    return files


def _read(certificate: Path, key: Path) -> Signed | None:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        x509_certificate = x509.load_pem_x509_certificate(certificate.read_bytes())
        private = load_pem_private_key(key.read_bytes(), None)
    except (OSError, ValueError, TypeError):
        return None
    if (
        not isinstance(private, ec.EllipticCurvePrivateKey)
        or private.public_key() != x509_certificate.public_key()
    ):
        return None
    key.chmod(0o600)
    return Signed(x509_certificate, private)


def _lasts(signed: Signed, now: datetime, for_so_long: timedelta) -> bool:
    certificate = signed.certificate
    return certificate.not_valid_before_utc <= now and certificate.not_valid_after_utc - now > for_so_long


def _is_good(server: Signed, authority: Signed, now: datetime) -> bool:
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature

    try:
        server.certificate.verify_directly_issued_by(authority.certificate)
        names = server.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (InvalidSignature, ValueError, TypeError, x509.ExtensionNotFound):
        return False
    held = {str(name.value) for name in names}
    return _lasts(server, now, RENEWED_BEFORE) and held == set(NAMES)


def _system_authorities() -> str:
    """Those that this machine trusts, as far as they lie in one file."""
    file = ssl.get_default_verify_paths().cafile
    try:
        return Path(file).read_text(encoding="utf-8") if file else ""
    except (OSError, ValueError):
        return ""
