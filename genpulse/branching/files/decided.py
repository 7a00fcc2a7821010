"""The file of settings that `install` writes or adds to."""

import re
from collections.abc import Iterator

from genpulse.branching.files.errors import FileInTheWay
from genpulse.branching.rules.policy import LaneNames, Policy
from genpulse.branching.rules.versions import Version
from genpulse.branching.settings.file import FILE, parse

_HEAD = f"""\
# Written by `genpulse flow install`; yours from here on. It counts as soon as it is in dev.
# docs/reference/flow-settings.md of GenPulse lists what {FILE} may say.
"""
_BASELINE = re.compile(r"^baseline\s*=.*$", re.MULTILINE)
_TABLE = re.compile(r"^\[", re.MULTILINE)


def with_decisions(text: str | None, baseline: Version | None, names: LaneNames | None) -> str:
    """The file's text with these decisions in it; everything else stays. Raises `FileInTheWay`, `PolicyBroken`."""
    before = _HEAD if text is None else text
    settings = _with_baseline(before, baseline) if baseline else before
    if names is not None and parse(settings).names != names:
        settings = _with_names(settings, names)
    parse(settings)
    return settings


def is_only_ours(text: str) -> bool:
    """Whether nobody decided more in it than `install` was told."""
    policy = parse(text)
    return text.startswith(_HEAD) and policy == Policy(baseline=policy.baseline, names=policy.names)


def _with_baseline(text: str, baseline: Version) -> str:
    line = f'baseline = "{baseline.tag}"'
    if _BASELINE.search(text):
        return _BASELINE.sub(line, text, count=1)
    table = _TABLE.search(text)
    place = table.start() if table else len(text)
    head = text[:place] + ("" if text[:place].endswith("\n") or not place else "\n")
    return f"{head}{line}\n" + (f"\n{text[place:]}" if table else "")


def _with_names(text: str, names: LaneNames) -> str:
    if parse(text).names != LaneNames():
        finding = f"{FILE} names the lanes otherwise."
        raise FileInTheWay(finding, note=f"Change [lanes] in {FILE} by hand.")
    return "\n".join([text.rstrip("\n"), "", "[lanes]", *_rows(names), ""])


def _rows(names: LaneNames) -> Iterator[str]:
    for key in ("dev", "test", "main"):
        yield f'{key} = "{names.of(key)}"'
