"""Uploads to S3 that somebody began and nobody ended: a process that was killed leaves their parts behind.

The client of the store knows no call for them, so they are signed here (AWS Signature Version 4). That takes keys
from the settings; with another identity a rule of the bucket has to do it.
"""

import hashlib
import hmac
import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeAlias
from urllib.parse import SplitResult, parse_qsl, quote, urlsplit
from xml.etree import ElementTree as ET

import obstore
from obstore.store import S3Store

from genpulse.adapters.storage.signed_requests import ask
from genpulse.addresses.proxies import Proxies

RULE = "let a lifecycle rule of the bucket abort incomplete multipart uploads (AbortIncompleteMultipartUpload)"

_EXPIRES = timedelta(minutes=5)
_EMPTY = hashlib.sha256().hexdigest()
_READ_BYTES = 4 << 20
_PAGES = 1_000
_DONE = frozenset({200, 204})
_GONE = 404
_NOT_KNOWN = 501
_DOCTYPE = re.compile(rb"<!(DOCTYPE|ENTITY)", re.IGNORECASE)

_Method: TypeAlias = Literal["GET", "DELETE"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Upload:
    key: str
    upload_id: str
    began_at: datetime


class UnfinishedUploads:
    """Those below `assets/` of a store. Blocking calls, which raise `OSError` and errors of obstore."""

    def __init__(self, store: S3Store, proxies: Proxies) -> None:
        self._store = store
        self._proxies = proxies
        self._prefix = f"{store.prefix}/" if store.prefix else ""

    def abort(self, before: datetime) -> int:
        """Abort those that began before; returns how many. Says what to do where that is not allowed."""
        secret = str(self._store.config.get("secret_access_key", ""))
        if not secret:
            _log.info("parts of uploads that broke off are not looked for without storage.access_key_id: %s", RULE)
            return 0
        try:
            old = [upload for upload in self._listed(secret) if upload.began_at < before]
            for upload in old:
                self._ask("DELETE", f"/{upload.key}", {"uploadId": upload.upload_id}, secret)
        except PermissionError as error:
            _log.info("parts of uploads that broke off may not be looked for (%s): %s", error, RULE)
            return 0
        if old:
            _log.info("aborted %d uploads that had broken off", len(old))
        return len(old)

    def _listed(self, secret: str) -> Iterator[_Upload]:
        marker: Mapping[str, str] = {}
        for _ in range(_PAGES):
            query = {"uploads": "", "prefix": f"{self._prefix}assets/", **marker}
            page = _parsed(self._ask("GET", "/", query, secret))
            for upload in page.iter("Upload"):
                began_at = _moment(upload.findtext("Initiated", ""))
                yield _Upload(upload.findtext("Key", ""), upload.findtext("UploadId", ""), began_at)
            if page.findtext("IsTruncated") != "true":
                return
            marker = {
                "key-marker": page.findtext("NextKeyMarker", ""),
                "upload-id-marker": page.findtext("NextUploadIdMarker", ""),
            }

    def _ask(self, method: _Method, path: str, query: Mapping[str, str], secret: str) -> bytes:
        """Raises `PermissionError` where that is not allowed or not known."""
        url = urlsplit(obstore.sign(self._store, method, "-", _EXPIRES))
        bucket = url.path.rsplit("/", self._prefix.count("/") + 1)[0]
        target = f"{bucket}{quote(path)}"
        words = "&".join(f"{_escaped(name)}={_escaped(value)}" for name, value in sorted(query.items()))
        headers = _signed(method, url, target, words, secret)
        address = f"{url.scheme}://{url.netloc}{target}?{words}"
        status, body = ask(method, address, self._proxies, read_bytes=_READ_BYTES, headers=headers)
        if status in _DONE or (status == _GONE and method == "DELETE"):
            return body
        if status == _NOT_KNOWN or 400 <= status < 500:
            raise PermissionError(f"the store answered {status}")
        raise OSError(f"the store answered {status} when it was asked for unfinished uploads")


def _signed(method: str, url: SplitResult, target: str, words: str, secret: str) -> dict[str, str]:
    """The headers of a request without a body (AWS: Create a signed AWS API request).

    Key, region and token are those of an address that the client of the store has signed.
    """
    signed = dict(parse_qsl(url.query))
    scope = signed["X-Amz-Credential"].partition("/")[2]
    headers = {"host": url.netloc, "x-amz-content-sha256": _EMPTY, "x-amz-date": signed["X-Amz-Date"]}
    if token := signed.get("X-Amz-Security-Token"):
        headers["x-amz-security-token"] = token
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    request = f"{method}\n{target}\n{words}\n{lines}\n{names}\n{_EMPTY}"
    text = "\n".join(
        ("AWS4-HMAC-SHA256", headers["x-amz-date"], scope, hashlib.sha256(request.encode()).hexdigest())
    )
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    credential = signed["X-Amz-Credential"]
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}"
    )
    return headers


def _escaped(text: str) -> str:
    return quote(text, safe="-_.~")


def _moment(text: str) -> datetime:
    """Raises `OSError` for what is none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise OSError(f"the store says {text[:60]!r} where it should say when an upload began") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _parsed(body: bytes) -> ET.Element:
    """Raises `OSError` for what is no listing."""
    if _DOCTYPE.search(body):
        raise OSError("the store listed its uploads in a document with entities")
    try:
        page = ET.fromstring(body)  # noqa: S314 - it has no entities
    except ET.ParseError as error:
        raise OSError(f"the store listed its uploads as something else: {error}") from error
    for element in page.iter():
        element.tag = element.tag.rpartition("}")[2]
    return page
