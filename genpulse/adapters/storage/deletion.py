"""Removing objects: many by one request, or one by one where a store lets it be no other way."""

import logging
from datetime import timedelta

import obstore
from obstore.exceptions import BaseError
from obstore.store import AzureStore, GCSStore, ObjectStore, S3Store

from genpulse.adapters.storage.errors import store_answer
from genpulse.adapters.storage.signed_requests import ask
from genpulse.addresses.proxies import NO_PROXIES, Proxies

_EXPIRES = timedelta(minutes=5)
_DELETED = frozenset({200, 202, 204, 404})
_READ_BYTES = 2_000

_log = logging.getLogger(__name__)


def delete(store: ObjectStore, keys: list[str], *, proxies: Proxies = NO_PROXIES) -> None:
    """Remove what is under these keys; what is gone already is no error.

    One that cannot be removed, as when it is locked, is left and told. Where none could be, raises `BaseError`,
    `OSError`.
    """
    try:
        obstore.delete(store, keys)
    except (BaseError, OSError):
        _delete_each(store, keys, proxies)


def _delete_each(store: ObjectStore, keys: list[str], proxies: Proxies) -> None:
    failures: list[BaseError | OSError] = []
    for key in keys:
        try:
            _delete_one(store, key, proxies)
        except FileNotFoundError:
            continue
        except (BaseError, OSError) as error:
            failures.append(error)
    if failures and len(failures) == len(keys):
        raise failures[0]
    for failure in failures:
        _log.warning("bytes that are not needed any more stay in the storage%s", store_answer(failure))


def _delete_one(store: ObjectStore, key: str, proxies: Proxies) -> None:
    """Remove what is under a key; what is gone already is no error.

    obstore removes single objects of S3 by the call for many, too, which some stores do not know and others refuse
    whole for one that is locked. A signed address of the plain DELETE goes round that. Raises `OSError` with the
    store's words.
    """
    if not isinstance(store, S3Store | GCSStore | AzureStore):
        obstore.delete(store, key)
        return
    url = obstore.sign(store, "DELETE", key, _EXPIRES)
    status, body = ask("DELETE", url, proxies, read_bytes=_READ_BYTES)
    if status not in _DELETED:
        raise OSError(f"the store answered {status}: {body.decode('utf-8', 'replace')}")
