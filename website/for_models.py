"""`llms.txt` and `llms-full.txt`: the pages as one list and as one text, for programs that read."""

from collections.abc import Iterator, Mapping, Sequence

from website.navigation import Group

_HEAD = """# GenPulse

> One durable task API in front of slow, flaky, paid generative media. A task is committed before it is accepted,
> never lost and never paid for twice; PostgreSQL is the one truth.

All pages in one file: [llms-full.txt](llms-full.txt). Every call for programs:
[openapi.json](openapi.json).
"""


def list_of_pages(order: Mapping[str, Sequence[Group]]) -> str:
    """The text of `llms.txt`: each page with its first sentence."""
    return "\n".join(_lines(order)) + "\n"


def all_pages(order: Mapping[str, Sequence[Group]]) -> str:
    """The text of `llms-full.txt`."""
    texts = [
        f"<!-- {page.place} -->\n\n{page.text}" for groups in order.values() for g in groups for page in g.pages
    ]
    return "\n\n".join(texts)


def _lines(order: Mapping[str, Sequence[Group]]) -> Iterator[str]:
    yield _HEAD
    for section, groups in order.items():
        yield f"## {section}\n"
        for page in (page for group in groups for page in group.pages):
            summary = f": {page.summary}" if page.summary else ""
            yield f"- [{page.title}]({page.place}){summary}"
        yield ""
