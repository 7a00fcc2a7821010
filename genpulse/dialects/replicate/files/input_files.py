"""Files that an input names by addresses of this door, which mean assets of ours."""

import re
from collections.abc import Callable
from uuid import UUID

from genpulse.dialects.replicate.links import API, ReplicateLinks
from genpulse.domain.assets.asset import REFERENCE, referred
from genpulse.domain.json.value import JsonObject, JsonValue
from genpulse.domain.submission.file_reference import asset_named

_ID = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
_FILE = re.compile(rf"https?://[^\s?#]*{re.escape(API)}/files/({_ID})(?:/download)?/?(?:\?\S*)?")


def taken_input(document: JsonObject, links: ReplicateLinks) -> JsonObject:
    """The input as our own API takes it: an address of a file of this service becomes a reference to its asset.

    It is known by the address at which this caller reaches us, whatever the configuration says of that.
    """
    own = links.api

    def taken(text: str) -> str:
        if not text.startswith(("http://", "https://")):
            return text
        match = _FILE.fullmatch(text)
        if match is not None and text.startswith(f"{own}/files/"):
            return f"{REFERENCE}{UUID(match[1])}"
        asset_id = asset_named(text, links.ours.base)
        return text if asset_id is None else f"{REFERENCE}{asset_id}"

    return {name: _with_texts(value, taken) for name, value in document.items()}


def shown_input(document: JsonObject, links: ReplicateLinks) -> JsonObject:
    """The input as this door shows it: a reference to an asset is the address of that file."""

    def given(text: str) -> str:
        asset_id = referred(text) if text.startswith(REFERENCE) else None
        return text if asset_id is None else links.file(asset_id)

    return {name: _with_texts(value, given) for name, value in document.items()}


def _with_texts(value: JsonValue, replaced: Callable[[str], str]) -> JsonValue:
    match value:
        case str():
            return replaced(value)
        case dict():
            return {name: _with_texts(inner, replaced) for name, inner in value.items()}
        case list():
            return [_with_texts(inner, replaced) for inner in value]
        case _:
            return value
