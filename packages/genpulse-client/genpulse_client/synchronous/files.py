# Made from asynchronous/files.py by make_synchronous.py: change it there.
"""Bytes of assets, there and back."""

import hashlib
import io
import os
import uuid
from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import Any, BinaryIO

from genpulse_client import request as requests
from genpulse_client.errors import DownloadBroken, GenPulseError
from genpulse_client.request import Request
from genpulse_client.results.asset import Asset, asset_of
from genpulse_client.retry import Retries
from genpulse_client.synchronous.connection import Connection

_UPLOAD = Request("POST", "/v1/uploads", repeatable=False)


def bytes_of(connection: Connection, asset: Asset) -> Generator[bytes, None, None]:
    """The bytes of an asset; a connection that breaks is taken up where it was. Raises `DownloadBroken`."""
    digest, offset = hashlib.sha256(), 0
    retries = Retries(requests.content(asset.id), connection.limits)
    while True:
        try:
            with closing(_bytes_from(connection, asset.id, offset)) as chunks:
                for chunk in chunks:
                    retries.begin_anew()
                    digest.update(chunk)
                    offset += len(chunk)
                    yield chunk
            break
        except GenPulseError as error:
            pause_s = retries.pause_s(error)
            if pause_s is None:
                raise
        connection.session.sleep(pause_s)
    if digest.hexdigest() != asset.sha256:
        raise DownloadBroken(asset.id)


def _bytes_from(connection: Connection, asset_id: str, start: int) -> Generator[bytes, None, None]:
    """Those of one connection. A server that sends all of them again is listened to from there on."""
    with connection.response(requests.content(asset_id, start)) as response:
        skipped = 0 if response.status_code == 206 else start
        for chunk in response.iter_bytes():
            fresh = chunk[skipped:]
            skipped = max(0, skipped - len(chunk))
            if fresh:
                yield fresh


def saved_file(connection: Connection, asset: Asset, path: str | os.PathLike[str]) -> Path:
    """Whole or not at all. Raises `DownloadBroken`, and `OSError` where it cannot be written."""
    target = Path(path)
    part = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        with part.open("wb") as file, closing(bytes_of(connection, asset)) as chunks:
            for chunk in chunks:
                file.write(chunk)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return target


def kept_file(
    connection: Connection, source: str | os.PathLike[str] | bytes | BinaryIO, name: str | None
) -> Asset:
    """An asset of a file, its bytes, or what can be read; a file is sent as it is read. Raises `OSError`."""
    if isinstance(source, (str, os.PathLike)):
        with Path(source).open("rb") as file:
            return _sent(connection, file, name or Path(source).name)
    return _sent(connection, io.BytesIO(source) if isinstance(source, bytes) else source, name or "file")


def _sent(connection: Connection, file: Any, name: str) -> Asset:
    return asset_of(connection.document(_UPLOAD, files={"file": (name, file)}))
