"""Text that somebody else has written, made fit to be kept, sent and shown."""

import re

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
LONGEST = 4_000
"""Characters that are kept of a foreign text; what is longer ends in an ellipsis."""

_URL = re.compile(r"(\b[a-z]{2,5}:\\*/\\*/)([^\s?\"'<>]*)(\?[^\s\"'<>]*)?", re.IGNORECASE)
_LOGIN = re.compile(r"[^/\\]*@")
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_DIRECTIONS = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_UNFIT_TO_SHOW = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029{_DIRECTIONS}\ud800-\udfff]")
_UNFIT_IN_A_LINE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def storable(text: str, longest: int = LONGEST) -> str:
    """The text as PostgreSQL, JSON, a log and a terminal can take it.

    Halves of surrogate pairs, NUL and other control characters (but tabs and line ends) become U+FFFD; more than
    `longest` (1 or more) characters are cut. Text that is fit already comes back as the same object.
    """
    if len(text) > longest:
        text = text[: longest - 1] + "…"
    return _UNFIT.sub(REPLACEMENT, text) if _UNFIT.search(text) else text


def storable_line(text: str, longest: int = 300) -> str:
    """The same for what has to stay on one line, such as a header, a name or a reason."""
    if len(text) > longest:
        text = text[: longest - 1] + "…"
    return _UNFIT_IN_A_LINE.sub(REPLACEMENT, text) if _UNFIT_IN_A_LINE.search(text) else text


def showable(text: str) -> str:
    """The text as a terminal may get it: nothing in it moves the cursor, names a title or turns the line around.

    Control characters (but tabs and line ends), the marks by which text changes its direction, and halves of
    surrogate pairs become U+FFFD. How long it is does not matter.
    """
    return _UNFIT_TO_SHOW.sub(REPLACEMENT, text.replace("\r\n", "\n")) if _UNFIT_TO_SHOW.search(text) else text


def showable_line(text: str) -> str:
    """The same in one line, with single blanks."""
    return showable(" ".join(text.split()))


def unsigned(text: str) -> str:
    """The same without what may be secret in the URLs that it names: user names, passwords and queries.

    Signatures stand in the queries of URLs, and whoever has such a URL has the file.
    """
    return _URL.sub(_plain, text) if "/" in text else text


def _plain(match: re.Match[str]) -> str:
    query = match[3] or ""
    return f"{match[1]}{_LOGIN.sub('', match[2], count=1)}{'?…' if len(query) > 1 else query}"
