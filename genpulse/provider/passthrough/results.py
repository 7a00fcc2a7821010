"""Results of pass-through models: files, else texts, else the document."""

import json
from collections.abc import AsyncIterable, Callable, Mapping, Sequence

from genpulse.domain.errors import OutputUnavailable
from genpulse.domain.failure import Charged
from genpulse.domain.json.value import JsonValue
from genpulse.provider import Missing, Output, Result
from genpulse.provider.encoded import decoded, is_data_uri
from genpulse.provider.flags import flags_of
from genpulse.provider.passthrough.file_rules import IsFile, is_file_in_place
from genpulse.provider.passthrough.files import PLACES, Gap, found_files, is_empty
from genpulse.provider.reported import reported

Fetch = Callable[[str], AsyncIterable[bytes]]
"""Gives the content behind a URL, such as `Account.fetch_public`."""

_ECHOES = frozenset({"prompt", "negative_prompt", "revised_prompt", "request_id", "id", "model", "status"})
"""What vendors repeat beside what they made."""
_ERRORS = ("error", "errors", "detail")


def result_of(result: JsonValue, fetch: Fetch, is_file: IsFile = is_file_in_place) -> Result:
    """A result as it came, its outputs, and what the vendor has marked about them. Raises as `outputs_of`.

    `is_file` tells which of its texts are files, where the vendor has a rule of its own.
    """
    found = found_files(result, is_file)
    outputs = _outputs(result, found.files, fetch)
    return Result(outputs, warnings=flags_of(result), answer=found.answer)


def outputs_of(result: JsonValue, fetch: Fetch, is_file: IsFile = is_file_in_place) -> tuple[Output, ...]:
    """Each file that a result names; else the words that it is, or the whole document as JSON.

    A file that cannot be read, and an empty place among files, is an output that is missing. Raises
    `OutputUnavailable` for an empty result and where all are missing, and for an error alone what `reported` says.
    """
    return _outputs(result, found_files(result, is_file).files, fetch)


def _outputs(result: JsonValue, files: Sequence[str | Gap], fetch: Fetch) -> tuple[Output, ...]:
    if files:
        return _fetched([_content(file, fetch) for file in files])
    if error := _error(result):
        raise reported(error)
    if is_empty(result) or _says_none(result):
        raise _nothing("is empty")
    words = _words(result)
    return (Output((_document(result) if words is None else words).encode("utf-8", "replace"), is_text=True),)


def _fetched(contents: Sequence[bytes | AsyncIterable[bytes]]) -> tuple[Output, ...]:
    missing = [content.why for content in contents if isinstance(content, Missing)]
    if len(missing) == len(contents):
        raise OutputUnavailable(" ".join(dict.fromkeys(missing)), charged=Charged.YES)
    return tuple(Output(content) for content in contents)


def _content(file: str | Gap, fetch: Fetch) -> bytes | AsyncIterable[bytes]:
    if isinstance(file, Gap):
        return Missing("The provider's result has an empty place among its files.")
    if not is_data_uri(file):
        return fetch(file)
    try:
        return decoded(file)
    except ValueError as error:
        return Missing(f"The provider's result holds a file that cannot be read: {error}.")


def _says_none(result: JsonValue) -> bool:
    """Whether a place for files is empty, and no words stand in their stead."""
    if not isinstance(result, dict) or not any(is_empty(result[name]) for name in PLACES & result.keys()):
        return False
    return not any(_plain(value) for value in _made(result).values())


def _words(result: JsonValue) -> str | None:
    """The text that a result is: by itself, in pieces, or as the one entry that is a text. None for all else."""
    if not isinstance(result, dict):
        return _plain(result) or None
    for entries in (_made(result), result):
        if any(_holds(value) and not _plain(value) for value in entries.values()):
            return None
        texts = [text for value in entries.values() if (text := _plain(value))]
        if texts:
            return texts[0] if len(texts) == 1 else None
    return None


def _made(result: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    return {name: value for name, value in result.items() if name not in _ECHOES}


def _plain(value: JsonValue) -> str:
    """A text, or one that comes in pieces as language models write it; "" for all else, and for spaces alone."""
    match value:
        case str():
            text = value
        case list() if all(item is None or isinstance(item, str) for item in value):
            text = "".join(item for item in value if isinstance(item, str))
        case _:
            text = ""
    return text if text.strip() else ""


def _holds(value: JsonValue) -> bool:
    """Whether it is a list or an object with something in it."""
    return isinstance(value, dict | list) and not is_empty(value)


def _document(result: JsonValue) -> str:
    try:
        return json.dumps(result, ensure_ascii=False)
    except RecursionError as error:
        raise _nothing("is nested too deeply to be kept") from error


def _error(result: JsonValue) -> JsonValue:
    """The error, where a result has one and nothing that was made."""
    if not isinstance(result, dict):
        return None
    error = next((result[name] for name in _ERRORS if not is_empty(result.get(name)) and result[name]), None)
    names = {*_ERRORS, "message", "code", "type"}
    outputs = [value for name, value in _made(result).items() if name not in names]
    if error is None or any(_plain(value) or _holds(value) for value in outputs):
        return None
    return error if isinstance(error, dict | list | str) else result


def _nothing(why: str) -> OutputUnavailable:
    return OutputUnavailable(f"The provider says that it is done, and its result {why}.", charged=Charged.YES)
