"""Removing one object by a request of its own."""

import http.client
from datetime import timedelta
from urllib.parse import urlsplit

import obstore
from obstore.store import AzureStore, GCSStore, ObjectStore, S3Store

_EXPIRES = timedelta(minutes=5)
_TIMEOUT_S = 30.0
_DONE = frozenset({200, 202, 204, 404})
_LOOKED_AT = 2_000


def delete_one(store: ObjectStore, key: str) -> None:
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
