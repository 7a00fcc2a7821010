"""The options below `providers.<name>.options`: of the providers in this package, and of all.

A plug-in of somebody else may read any other name, which is passed on as it is.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from genpulse.domain.text.host_names import parse_hosts

Value: TypeAlias = str | int | float | bool


class OptionKind(StrEnum):
    """The kind of value that an option takes."""

    TEXT = "text"
    FLAG = "true or false"
    HOSTS = "hosts, with commas"
    WORDS = "words, with commas"
    FOLDER = "folder"


@dataclass(frozen=True, slots=True)
class Option:
    """An option: its name, the adapters that read it (none: all that fetch results), its kind and its meaning."""

    name: str
    adapters: tuple[str, ...]
    kind: OptionKind
    meaning: str


_SERVERS = ("openai", "openai_compatible")
_FLAGS = {"true": True, "false": False, "yes": True, "no": False, "on": True, "off": False, "1": True, "0": False}

OPTIONS = (
    Option(
        "allowed_hosts",
        (),
        OptionKind.HOSTS,
        (
            "Hosts besides public ones over https from which result files are fetched, such as minio:9000; empty:"
            " none. No credentials go there, and callers' own URLs gain nothing by it."
        ),
    ),
    Option("done_words", _SERVERS, OptionKind.WORDS, "More words by which a server says that a job is done."),
    Option("failed_words", _SERVERS, OptionKind.WORDS, "The same for a job that has failed."),
    Option("running_words", _SERVERS, OptionKind.WORDS, "The same for a job that waits or runs."),
    Option("paid", ("openai_compatible",), OptionKind.FLAG, "Whether asking it costs money."),
    Option("traced", _SERVERS, OptionKind.FLAG, "Whether it is given the W3C trace context (`traceparent`)."),
    Option("azure", _SERVERS, OptionKind.FLAG, "Whether the key goes into `api-key`, as Azure wants it."),
    Option("api_version", _SERVERS, OptionKind.TEXT, "`api-version` of every call, where Azure wants one."),
    Option(
        "webhook_secret",
        (*_SERVERS, "replicate"),
        OptionKind.TEXT,
        "Verifies the notices; replicate tells its own.",
    ),
    Option("jwks_url", ("fal",), OptionKind.TEXT, "Where the keys are that verify notices; empty: at fal."),
    Option("workflows", ("comfyui",), OptionKind.FOLDER, "Where the registered workflows lie."),
    Option("any_workflow", ("comfyui",), OptionKind.FLAG, "Whether callers may send workflows of their own."),
    Option("folder", ("comfyui",), OptionKind.FOLDER, "The ComfyUI that `genpulse dev` starts."),
    Option("python", ("comfyui",), OptionKind.TEXT, "Its Python, where that is not in venv or .venv."),
    Option("arguments", ("comfyui",), OptionKind.TEXT, "More words for its command line."),
)
"""All that have a meaning here, in the order of the reference."""

_WORD_LISTS = tuple(option.name for option in OPTIONS if option.kind is OptionKind.WORDS)


def typed(adapter: str, options: Mapping[str, Value]) -> dict[str, Value]:
    """The options as the adapter reads them: a flag that came as text is true or false, an empty one is not there.

    They have no `faults`.
    """
    values: dict[str, Value] = {}
    for name, value in options.items():
        if _kind(adapter, name) is not OptionKind.FLAG:
            values[name] = value
        elif (flag := _flag(value)) is not None:
            values[name] = flag
    return values


def faults(adapter: str, options: Mapping[str, Value]) -> Iterator[tuple[str, str]]:
    """Names of options whose values do not fit, each with what is wrong."""
    for name, value in options.items():
        if detail := _misfit(_kind(adapter, name), value):
            yield name, detail
    yield from _contradictions(adapter, options)


def _kind(adapter: str, name: str) -> OptionKind:
    kinds = (
        option.kind for option in OPTIONS if option.name == name and adapter in (option.adapters or (adapter,))
    )
    return next(kinds, OptionKind.TEXT)


def _misfit(kind: OptionKind, value: Value) -> str:
    """The fault of a value; empty when it fits."""
    if kind is OptionKind.FLAG and _flag(value) is None and value != "":
        return f"expected true or false, found {str(value)[:60]!r}"
    if kind is not OptionKind.HOSTS:
        return ""
    try:
        parse_hosts(str(value))
    except ValueError as error:
        return str(error)
    return ""


def _flag(value: Value) -> bool | None:
    return value if isinstance(value, bool) else _FLAGS.get(str(value).strip().lower())


def _contradictions(adapter: str, options: Mapping[str, Value]) -> Iterator[tuple[str, str]]:
    """A word that an operator has given two meanings."""
    seen: dict[str, str] = {}
    for name in _WORD_LISTS:
        if _kind(adapter, name) is not OptionKind.WORDS:
            continue
        for word in _words(str(options.get(name, ""))):
            first = seen.setdefault(word, name)
            if first != name:
                yield name, f"the word {word!r} stands in {first} too, and can mean one of them alone"


def _words(text: str) -> Iterator[str]:
    return (word.strip().lower() for word in text.split(",") if word.strip())
