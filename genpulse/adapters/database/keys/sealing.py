"""Secrets that have to be read again, as they lie in a table: nobody reads them there who has the table alone."""

import binascii
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from genpulse.domain.errors import SealedSecret, SealingKeyMissing

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

_KEY_BYTES = 32


class Sealing:
    """Seals with the first of these keys and opens with any of them (Fernet, of the `cryptography` package).

    Each is base64 of 32 random bytes. A secret belongs to the API key that it was sealed for: in the row of
    another one it does not open. Raises `ValueError` for what is no key.
    """

    def __init__(self, keys: Sequence[str] = ()) -> None:
        self._fernet = _fernet(keys) if keys else None

    @property
    def has_key(self) -> bool:
        """Whether there is one to seal with."""
        return self._fernet is not None

    def seal(self, key_id: UUID, secret: str) -> bytes:
        """Raises `SealingKeyMissing`."""
        if self._fernet is None:
            raise SealingKeyMissing
        return self._fernet.encrypt(f"{key_id}\n{secret}".encode())

    def open(self, key_id: UUID, sealed: bytes) -> str:
        """Raises `SealedSecret`."""
        opened = _opened(self._fernet, sealed) if self._fernet else ""
        owner, _, secret = opened.partition("\n")
        if owner != str(key_id):
            raise SealedSecret(key_id, has_key=self._fernet is not None)
        return secret


def _fernet(keys: Sequence[str]) -> "MultiFernet":
    from cryptography.fernet import Fernet, MultiFernet  # 6 MB, and few seal

    return MultiFernet([Fernet(_fernet_key(key)) for key in keys])


def _opened(fernet: "MultiFernet", sealed: bytes) -> str:
    from cryptography.fernet import InvalidToken  # as above

    try:
        return fernet.decrypt(sealed).decode()
    except InvalidToken:
        return ""


def _fernet_key(key: str) -> bytes:
    try:
        key_bytes = b64decode(key.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        key_bytes = b""
    if len(key_bytes) != _KEY_BYTES:
        raise ValueError("it is no base64 of 32 bytes")
    return urlsafe_b64encode(key_bytes)
