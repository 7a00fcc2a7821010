"""The pages of the repository, with links that hold where they lie in the site."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path, PurePosixPath

OUTSIDE: Mapping[str, str] = {
    "examples/gallery/README.md": "how-to/example-gallery.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security.md",
}
"""Pages that do not lie in docs/, and where they stand in the site."""
_FENCE = re.compile(r"^ *(```|~~~)")
_LINK = re.compile(r"(?<!!)\[(?P<text>[^\[\]]*(?:\[[^\[\]]*\][^\[\]]*)*)\]\((?P<target>[^()\s]+)\)")
_NO_SENTENCE = ("|", "#", "```", "-", "!", "    ")
_LIST = re.compile(r" *(?:[-*]|\d+\.) ")


class NoHeading(Exception):
    """A page does not say what it is about."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page in Markdown. `place` is its path in the site, with `.md`."""

    place: str
    text: str

    @property
    def title(self) -> str:
        """Its first heading. Raises `NoHeading`."""
        found = re.search(r"^# (.+)$", self.text, re.MULTILINE)
        if found is None:
            raise NoHeading(f"{self.place} has no heading. Begin it with `# ` and a title.")
        return found[1].strip()

    @property
    def summary(self) -> str:
        """Its first sentence, or nothing where it begins otherwise."""
        body = self.text.partition(f"# {self.title}")[2].strip("\n")
        paragraph = " ".join(body.partition("\n\n")[0].split())
        if body.startswith(_NO_SENTENCE):
            return ""
        words = _LINK.sub(lambda link: link["text"], paragraph.removeprefix("**Decision.** "))
        return re.split(r"(?<=[.!?]) ", words)[0].rstrip(":")


def pages(root: Path) -> list[Page]:
    """All pages that lie in the repository at `root`."""
    inside = {path.relative_to(root).as_posix() for path in (root / "docs").rglob("*.md")}
    places = {name: name.removeprefix("docs/") for name in sorted(inside)} | dict(OUTSIDE)
    return [Page(place, _for_the_site(root, name, places)) for name, place in places.items()]


def prose(text: str) -> Iterator[tuple[bool, str]]:
    """The lines of a page, each with whether it is text and no code of a fenced block."""
    fence = ""
    for line in text.splitlines():
        mark = found[1] if (found := _FENCE.match(line)) else ""
        yield not fence and not mark, line
        if mark and (not fence or fence == mark):
            fence = "" if fence else mark


def _for_the_site(root: Path, name: str, places: Mapping[str, str]) -> str:
    text = (root / name).read_text(encoding="utf-8")
    parts = [(is_text, [line for _, line in lines]) for is_text, lines in groupby(prose(text), lambda row: row[0])]
    return (
        "\n".join(
            _LINK.sub(lambda link: _link(root, name, link, places), "\n".join(_with_gaps(lines)))
            if is_text
            else "\n".join(lines)
            for is_text, lines in parts
        )
        + "\n"
    )


def _with_gaps(lines: Sequence[str]) -> list[str]:
    """The lines with an empty one above each list that begins right under a text."""
    found: list[str] = []
    for line in lines:
        found += ["", line] if _begins_a_list(line, found) else [_without_tags(line)]
    return found


def _without_tags(line: str) -> str:
    """A heading such as `providers.<name>` says what it says, and has no element of HTML in it."""
    return re.sub(r"<(?=\w)", "&lt;", line) if line.startswith("#") and "`" not in line else line


def _begins_a_list(line: str, before: Sequence[str]) -> bool:
    """Whether a list begins under a line of text: Python-Markdown wants a gap there, as forges do not."""
    if not (before and _LIST.match(line) and before[-1].strip()):
        return False
    above = before[-1]
    return not above.startswith((" ", "#", "|")) and not _LIST.match(above)


def _link(root: Path, name: str, link: re.Match[str], places: Mapping[str, str]) -> str:
    path, mark, anchor = link["target"].partition("#")
    if not path or re.match(r"[a-z]+:", path):
        return link[0]
    target = os.path.normpath(PurePosixPath(name).parent / path)
    if target in places:
        place = os.path.relpath(places[target], PurePosixPath(places[name]).parent)
        return f"[{link['text']}]({place}{mark}{anchor})"
    if target.startswith("docs/") or not (root / target).exists():
        return link[0]
    return f"{link['text']} (`{target}` in the repository)"
