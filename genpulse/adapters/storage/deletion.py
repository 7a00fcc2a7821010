"""Removing objects: many by one request, or one by one where a store lets it be no other way."""

import http.client
import logging
from datetime import timedelta
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import AzureStore, GCSStore, ObjectStore, S3Store

from genpulse.adapters.storage.errors import answered

_EXPIRES = timedelta(minutes=5)
_TIMEOUT_S = 30.0
_DONE = frozenset({200, 202, 204, 404})
_LOOKED_AT = 2_000

_log = logging.getLogger(__name__)


def delete(store: ObjectStore, keys: list[str]) -> None:
    """Remove what is under these keys; what is gone already is no error.

    One that cannot be removed, as when it is locked, is left and told. Where none could be, raises `BaseError`,
    `OSError`.
    """
    try:
        obstore.delete(store, keys)
    except (BaseError, OSError):
        _delete_each(store, keys)


def _delete_each(store: ObjectStore, keys: list[str]) -> None:
    failures: list[BaseError | OSError] = []
    for key in keys:
        try:
            _delete_one(store, key)
        except FileNotFoundError:
            continue
        except (BaseError, OSError) as error:
            failures.append(error)
    if failures and len(failures) == len(keys):
        raise failures[0]
    for failure in failures:
        _log.warning("bytes that are not needed any more stay in the storage%s", answered(failure))


def _delete_one(store: ObjectStore, key: str) -> None:
    """Remove what is under a key; what is gone already is no error.

    obstore removes single objects of S3 by the call for many, too, which some stores do not know and others refuse
    whole for one that is locked. A signed address of the plain DELETE goes round that. Raises `OSError` with the
    store's words.
    """
    if not isinstance(store, S3Store | GCSStore | AzureStore):
        obstore.delete(store, key)
        return
    parts = urlsplit(obstore.sign(store, "DELETE", key, _EXPIRES))
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=_TIMEOUT_S)
    try:
        connection.request("DELETE", f"{parts.path}?{parts.query}")
        answer = connection.getresponse()
        said = answer.read(_LOOKED_AT).decode("utf-8", "replace")
    except http.client.HTTPException as error:
        raise OSError(f"the store did not answer: {error}") from error
    finally:
        connection.close()
    if answer.status not in _DONE:
        raise OSError(f"the store answered {answer.status}: {said}")
