"""Requests before they are sent: one function for each call of the API."""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from genpulse_client.address import path_part
from genpulse_client.client_terms import ClientTerms
from genpulse_client.filters import Query, TaskFilter
from genpulse_client.order import Order

_JSON = {"Content-Type": "application/json"}
_CLIENT_TOKENS = "/v1/client_tokens"


@dataclass(frozen=True, slots=True)
class Request:
    """One call: `repeatable` may be sent twice, `persistent` is sent again while nothing answers."""

    method: str
    path: str
    query: Query = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None
    repeatable: bool = True
    persistent: bool = False


def submit(order: Order) -> Request:
    """Under a key that is made here where the order has none, so that it may be sent again."""
    key = uuid.uuid4().hex if order.idempotency_key is None else order.idempotency_key
    headers = {**_JSON, "Idempotency-Key": _checked(key)}
    return Request("POST", "/v1/tasks", headers=headers, content=_encoded(order.document()), persistent=True)


def submit_batch(orders: Sequence[Order], idempotency_key: str | None) -> Request:
    """Under a key that is made here where there is none, so that it may be sent again."""
    if idempotency_key is None and not any(order.idempotency_key for order in orders):
        idempotency_key = uuid.uuid4().hex
    return Request(
        "POST",
        "/v1/tasks/batch",
        headers={**_JSON, **_named("Idempotency-Key", idempotency_key)},
        content=_encoded({"tasks": _tasks(orders)}),
        repeatable=idempotency_key is not None or all(order.idempotency_key for order in orders),
        persistent=True,
    )


def check_batch(orders: Sequence[Order]) -> Request:
    """To look whether all would be taken."""
    content = _encoded({"tasks": _tasks(orders), "dry_run": True})
    return Request("POST", "/v1/tasks/batch", headers=_JSON, content=content)


def _tasks(orders: Sequence[Order]) -> Sequence[Mapping[str, Any]]:
    return [{**order.document(), **_named("idempotency_key", order.idempotency_key)} for order in orders]


def batch(batch_id: str) -> Request:
    """A batch."""
    return Request("GET", _batch_path(batch_id))


def batches(query: Query) -> Request:
    """A page of batches."""
    return Request("GET", "/v1/batches", query)


def batch_events(batch_id: str, last_id: str | None) -> Request:
    """The stream of a batch, from behind the event that is named."""
    headers = {"Accept": "text/event-stream", **({"Last-Event-ID": last_id} if last_id else {})}
    return Request("GET", f"{_batch_path(batch_id)}/events", headers=headers, persistent=True)


def cancel_batch(batch_id: str) -> Request:
    """To cancel twice is to cancel once."""
    return Request("POST", f"{_batch_path(batch_id)}/cancel")


def retry_batch(batch_id: str) -> Request:
    """Not sent again when its answer is lost: by then tasks may have run, and failed anew."""
    return Request("POST", f"{_batch_path(batch_id)}/retry", repeatable=False)


def get(task_id: str) -> Request:
    """A task."""
    return Request("GET", task_path(task_id))


def tasks(query: Query) -> Request:
    """A page of tasks."""
    return Request("GET", "/v1/tasks", query)


def cancel(task_id: str) -> Request:
    """To cancel twice is to cancel once."""
    return Request("POST", f"{task_path(task_id)}/cancel")


def retry(task_id: str, *, even_if_charged: bool) -> Request:
    """Not sent again when its answer is lost: by then the task may have run, and failed anew."""
    path = f"{task_path(task_id)}/retry"
    if not even_if_charged:
        return Request("POST", path, repeatable=False)
    return Request("POST", path, headers=_JSON, content=_encoded({"even_if_charged": True}), repeatable=False)


def act(action: str, wanted: TaskFilter, *, every: bool, confirm: str | None) -> Request:
    """To count, or to do with a token, which does no harm twice."""
    body = {"action": action, "filter": wanted.document(), "all": every, **_given("confirm", confirm)}
    return Request("POST", "/v1/tasks/actions", headers=_JSON, content=_encoded(body))


def attempts(task_id: str) -> Request:
    """What was tried for a task."""
    return Request("GET", f"{task_path(task_id)}/attempts")


def deliveries(task_id: str) -> Request:
    """What became of the webhook messages about a task."""
    return Request("GET", f"{task_path(task_id)}/deliveries")


def ledger(task_id: str) -> Request:
    """What was reserved and spent for a task."""
    return Request("GET", f"{task_path(task_id)}/ledger")


def delete(task_id: str) -> Request:
    """A task, its history and its bytes."""
    return Request("DELETE", task_path(task_id))


def delete_asset(asset_id: str) -> Request:
    """A file."""
    return Request("DELETE", _asset_path(asset_id))


def create_upload(max_bytes: int | None, media_type: str | None, expires_in_s: int | None) -> Request:
    """An address for a file. One more that nobody uses does no harm."""
    said = {"max_bytes": max_bytes, "media_type": media_type, "expires_in_s": expires_in_s}
    body = {name: value for name, value in said.items() if value is not None}
    return Request("POST", "/v1/upload_urls", headers=_JSON, content=_encoded(body))


def create_client_token(terms: ClientTerms) -> Request:
    """A client token. One more that nobody knows does no harm."""
    return Request("POST", _CLIENT_TOKENS, headers=_JSON, content=_encoded(terms.body()))


def client_tokens() -> Request:
    """Those that are good."""
    return Request("GET", _CLIENT_TOKENS)


def client_token(token_id: str) -> Request:
    """One of them."""
    return Request("GET", f"{_CLIENT_TOKENS}/{quote(path_part(token_id))}")


def revoke_client_token(token_id: str) -> Request:
    """The end of one."""
    return Request("DELETE", f"{_CLIENT_TOKENS}/{quote(path_part(token_id))}")


def events(task_id: str, last_id: str | None) -> Request:
    """The stream of a task, from behind the event that is named."""
    headers = {"Accept": "text/event-stream", **({"Last-Event-ID": last_id} if last_id else {})}
    return Request("GET", f"{task_path(task_id)}/events", headers=headers, persistent=True)


def content(asset_id: str, start: int = 0) -> Request:
    """The bytes of a file, from the one that is named."""
    headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={start}-"} if start else {})}
    return Request("GET", f"{_asset_path(asset_id)}/content", headers=headers)


def models() -> Request:
    """The catalogue."""
    return Request("GET", "/v1/models")


def model(model_id: str) -> Request:
    """One entry of the catalogue."""
    return Request("GET", f"/v1/models/{quote(path_part(model_id, several=True))}")


def routes() -> Request:
    """The routes."""
    return Request("GET", "/v1/routes")


def providers() -> Request:
    """The providers."""
    return Request("GET", "/v1/providers")


def usage(query: Query) -> Request:
    """Counts and money."""
    return Request("GET", "/v1/usage", query)


def budgets(customer: str | None) -> Request:
    """What may be spent and done."""
    return Request("GET", "/v1/budgets", () if customer is None else (("customer", customer),))


def readiness() -> Request:
    """How each part of the system is."""
    return Request("GET", "/readyz")


def task_path(task_id: str) -> str:
    """The path of a task. Raises `InvalidId`."""
    return f"/v1/tasks/{quote(path_part(task_id))}"


def _batch_path(batch_id: str) -> str:
    return f"/v1/batches/{quote(path_part(batch_id))}"


def _asset_path(asset_id: str) -> str:
    return f"/v1/assets/{quote(path_part(asset_id))}"


def _given(name: str, value: str | None) -> Mapping[str, str]:
    return {} if value is None else {name: value}


def _named(name: str, key: str | None) -> Mapping[str, str]:
    return {} if key is None else {name: _checked(key)}


def _checked(key: str) -> str:
    if not 0 < len(key) <= 255 or key != key.strip() or any(not " " <= one <= "~" for one in key):
        raise ValueError(
            f"An idempotency key is 1 to 255 ASCII characters without blanks around it, not {key[:60]!r}."
        )
    return key


def _encoded(document: Any) -> bytes:
    """Raises `ValueError` for numbers that JSON does not have, `TypeError` for values that it does not have.

    Half of a surrogate pair is sent as JSON writes it, so that the API says where it stands.
    """
    return json.dumps(document, allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode(
        "utf-8", "backslashreplace"
    )
