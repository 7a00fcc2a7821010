"""What pip-audit has found, and whether it has looked at all.

pip-audit itself is content where an index knows nothing of vulnerabilities: every package is then left out, and it
says "No known vulnerabilities found". Here a package that nobody looked at is no package in order.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

FOUND = 1
NOT_KNOWN = 2
_NAMED = 5


@dataclass(frozen=True)
class Report:
    """The words, and the exit code: 0 in order, 1 something has been found, 2 it is not known."""

    words: str
    exit_code: int


def judged(written: str, said: str) -> Report:
    """`written` is its report in JSON, empty where it ended without one; `said` is what it said on the way."""
    try:
        packages = json.loads(written)["dependencies"]
    except (ValueError, KeyError, TypeError):
        last = next((line.strip() for line in reversed(said.splitlines()) if line.strip()), "nothing was said")
        return Report(
            f"the service that knows of vulnerabilities could not be asked ({last[:300]}). {_ADVICE}", NOT_KNOWN
        )
    found = [_found(each, one) for each in packages for one in each.get("vulns", [])]
    skipped = [each for each in packages if "skip_reason" in each]
    if found:
        words = "\n".join(
            ["these locked packages have known vulnerabilities:", *(f"  - {each}" for each in found)]
        )
        return Report(f"{words}\nRaise them in pyproject.toml where they are named, and run make lock.", FOUND)
    if skipped or not packages:
        return Report(f"{_skipped(skipped, len(packages))} {_ADVICE}", NOT_KNOWN)
    return Report(f"{len(packages)} locked packages were looked at, and none has a known vulnerability.", 0)


_ADVICE = (
    "So nothing is known about the lock. It needs an index whose JSON API tells of vulnerabilities, as the public"
    " one does, or AUDIT='--vulnerability-service osv'; run it where one of them can be reached."
)


def _skipped(skipped: Sequence[dict[str, str]], count: int) -> str:
    names = ", ".join(each["name"] for each in skipped[:_NAMED])
    more = f" and {len(skipped) - _NAMED} more" if len(skipped) > _NAMED else ""
    why = f": {skipped[0]['skip_reason'][:200]}" if skipped else ""
    return f"{len(skipped)} of {count} locked packages were not looked at ({names}{more}{why})."


def _found(package: dict[str, str], one: dict[str, object]) -> str:
    fixes = one.get("fix_versions") or []
    mended = f"mended in {', '.join(map(str, fixes))}" if isinstance(fixes, list) and fixes else "not mended yet"
    return f"{package['name']} {package['version']}: {one['id']}, {mended}"
