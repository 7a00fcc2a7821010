"""The page of limits, from the constants, the settings and the OpenAPI document that hold them."""

from collections.abc import Iterator, Mapping
from typing import Any

from genpulse.api.auth.action_tokens import LASTS_S
from genpulse.api.middleware.body_guard import LEAST_BYTES_PER_S
from genpulse.api.options import ApiOptions
from genpulse.api.requests.headers import MOST_WAIT_S
from genpulse.api.requests.json_checks import BATCH_VALUES, KEY_LENGTH, SHOWN_AT_MOST, VALUES
from genpulse.api.routes.usage import MOST_ROWS
from genpulse.api.schemas.tasks.filter import MOST_IDS, MOST_VALUES
from genpulse.api.schemas.tasks.submission import LONGEST_DEADLINE_S, LONGEST_RETENTION_S
from genpulse.api.schemas.uploads import LONGEST_S
from genpulse.api.server.uvicorn_protocol import HEAD_BYTES, HEAD_S, PIPELINED
from genpulse.configuration.schema import find
from genpulse.domain.webhook_delivery import GIVE_UP_AFTER
from genpulse.lifecycle.bulk_actions import CHUNK
from genpulse.lifecycle.submission.order_checks import LATEST_RUN
from genpulse.lifecycle.webhooks.receivers import MOST_SEATS, SEATS
from website.pages import Page
from website.schema_words import cell, type_words

_HEAD = """# Limits

Made from the code that holds them. A limit with a setting is its default, which an environment may change;
[configuration](configuration.md) says how to change it. Limits of one API key (rate, tasks at once, tasks and
dollars a day) are given when [the key is created](../how-to/create-api-keys.md), those of a provider's account in
`providers.<name>`.
"""
_SETTINGS = (
    ("A JSON body, in bytes", "api.body_limit_bytes", "413 `content_too_large`"),
    ("An upload, in bytes", "api.upload_limit_bytes", "413 `content_too_large`"),
    ("Seconds that `Prefer: wait` waits", "api.longest_wait_s", "the task as it stands then"),
    ("Connections of one client", "api.connections_per_peer", "its longest silent one is closed, or 503"),
    ("Seconds for which an idle connection stays open", "api.keep_alive_s", "it is closed"),
    ("Seconds for which the address of an output is good", "api.asset_url_s", "403 `expired_url`"),
    ("Seconds for which the address of a task's events is good", "api.events_url_s", "403 `expired_url`"),
    ("Attempts that fail", "retry.max_attempts", "the task fails"),
    ("Days for which an ended task is kept", "retention.tasks_days", "404"),
    ("Days for which an asset without a task is kept", "retention.assets_days", "404"),
    ("Days for which the key of a deleted task is known", "retention.tombstones_days", "the key makes a new task"),
)


def page(document: Mapping[str, Any]) -> Page:
    """Every bound that a caller can meet. `document` is the OpenAPI document."""
    return Page("reference/limits.md", "\n".join(_lines(document)) + "\n")


def _lines(document: Mapping[str, Any]) -> Iterator[str]:
    yield _HEAD
    yield "## That can be set\n\n| what | setting | default | beyond it |\n|---|---|---|---|"
    for what, key, beyond in _SETTINGS:
        yield f"| {what} | `{key}` | {_default(key)} | {beyond} |"
    yield "\n## Requests\n\n| what | limit | beyond it |\n|---|---|---|"
    yield from (f"| {what} | {limit} | {beyond} |" for what, limit, beyond in _requests())
    yield "\n## Webhooks\n\n| what | limit |\n|---|---|"
    yield f"| Hours for which a message is tried | {GIVE_UP_AFTER.total_seconds() / 3600:g} |"
    yield f"| Messages of a worker to one origin at once | {SEATS}, {MOST_SEATS} where they are taken soon |"
    yield "\n## Fields of a task that is submitted\n\nBeyond any of these: 422 `invalid_input`, with the place.\n"
    yield "| field | limit |\n|---|---|"
    schemas = document["components"]["schemas"]
    for name, field in schemas["Order"]["properties"].items():
        yield f"| `{name}` | {_words(field)} |"
    yield f"| `tasks` of a batch | {_words(schemas['Batch']['properties']['tasks'])} |"


def _requests() -> Iterator[tuple[str, str, str]]:
    yield "Values in a JSON body", f"{VALUES:,}; in a batch {BATCH_VALUES:,}", "422 `invalid_input`"
    yield "Characters of a name in a JSON body", f"{KEY_LENGTH:,}", "422 `invalid_input`"
    yield "Seconds of silence within a body", f"{ApiOptions().body_idle_s:g}", "408 `request_timeout`"
    yield "Bytes a second of a body, at least", f"{LEAST_BYTES_PER_S:,}", "408 `request_timeout`"
    yield "Bytes of a request's head", f"{HEAD_BYTES:,}", "431"
    yield "Seconds for a request's head", f"{HEAD_S:g}", "408"
    yield "Requests that wait on one connection", f"{PIPELINED:,}", "the connection ends"
    yield "`Prefer: wait`, in seconds", f"1 to {MOST_WAIT_S}", "400 `invalid_prefer`"
    yield "Values of one filter; ids", f"{MOST_VALUES:,}; {MOST_IDS:,}", "422 `invalid_input`"
    yield "Rows of `GET /v1/usage`", f"{MOST_ROWS:,}", "422 `invalid_input`"
    yield (
        "Seconds for which an address for an upload is good",
        f"1 to {LONGEST_S:,}",
        "403 `expired_url`",
    )
    yield "Files that come by one such address at once", "1 to each process", "429 `upload_in_progress`"
    yield "Seconds for which a `confirm` is good", f"{LASTS_S:,}", "409 `expired_confirm`"
    yield "Tasks of an action in one transaction", f"{CHUNK:,}", "the next one follows"
    yield "Places that one problem names", f"{SHOWN_AT_MOST:,}", "the others are not named"
    yield "`deadline_s`", f"{LONGEST_DEADLINE_S:,} s, {LONGEST_DEADLINE_S / 86400:g} days", "422 `invalid_input`"
    yield "`run_at`", f"{LATEST_RUN.days} days ahead", "422 `invalid_input`"
    yield "`retain_s`", f"{LONGEST_RETENTION_S:,} s, {LONGEST_RETENTION_S / 86400:g} days", "422 `invalid_input`"


def _default(key: str) -> str:
    setting = find(key)
    if setting is None:
        raise KeyError(f"No setting is called {key}. Mend the list of website/limits.py.")
    value = setting.default
    return f"{value:,}" if isinstance(value, int | float) else str(value)


def _words(field: Mapping[str, Any]) -> str:
    return cell(type_words(field).replace("](#", "](calls.md#"))
