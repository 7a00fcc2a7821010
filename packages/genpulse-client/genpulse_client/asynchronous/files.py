"""Bytes of assets, there and back."""

import hashlib
import io
import os
import uuid
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Any, BinaryIO

from genpulse_client import request as requests
from genpulse_client.asynchronous.connection import AsyncConnection
from genpulse_client.errors import DownloadBroken, GenPulseError
from genpulse_client.request import Request
from genpulse_client.results.asset import Asset, asset_of
from genpulse_client.retry import Retries

_UPLOAD = Request("POST", "/v1/uploads", repeatable=False)


async def bytes_of(connection: AsyncConnection, asset: Asset) -> AsyncGenerator[bytes, None]:
    """The bytes of an asset; a connection that breaks is taken up where it was. Raises `DownloadBroken`."""
    digest, offset = hashlib.sha256(), 0
    retries = Retries(requests.content(asset.id), connection.limits)
    while True:
        try:
            async with aclosing(_bytes_from(connection, asset.id, offset)) as chunks:
                async for chunk in chunks:
                    retries.begin_anew()
                    digest.update(chunk)
                    offset += len(chunk)
                    yield chunk
            break
        except GenPulseError as error:
            pause_s = retries.pause_s(error)
            if pause_s is None:
                raise
        await connection.session.sleep(pause_s)
    if digest.hexdigest() != asset.sha256:
        raise DownloadBroken(asset.id)


async def _bytes_from(connection: AsyncConnection, asset_id: str, start: int) -> AsyncGenerator[bytes, None]:
    """Those of one connection. A server that sends all of them again is listened to from there on."""
    async with connection.response(requests.content(asset_id, start)) as response:
        skipped = 0 if response.status_code == 206 else start
        async for chunk in response.aiter_bytes():
            fresh = chunk[skipped:]
            skipped = max(0, skipped - len(chunk))
            if fresh:
                yield fresh


async def saved_file(connection: AsyncConnection, asset: Asset, path: str | os.PathLike[str]) -> Path:
    """Whole or not at all. Raises `DownloadBroken`, and `OSError` where it cannot be written."""
    target = Path(path)
    part = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        with part.open("wb") as file:
            async with aclosing(bytes_of(connection, asset)) as chunks:
                async for chunk in chunks:
                    file.write(chunk)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return target


async def kept_file(
    connection: AsyncConnection, source: str | os.PathLike[str] | bytes | BinaryIO, name: str | None
) -> Asset:
    """An asset of a file, its bytes, or what can be read; a file is sent as it is read. Raises `OSError`."""
    if isinstance(source, (str, os.PathLike)):
        with Path(source).open("rb") as file:
            return await _sent(connection, file, name or Path(source).name)
    return await _sent(connection, io.BytesIO(source) if isinstance(source, bytes) else source, name or "file")


async def _sent(connection: AsyncConnection, file: Any, name: str) -> Asset:
    return asset_of(await connection.document(_UPLOAD, files={"file": (name, file)}))
