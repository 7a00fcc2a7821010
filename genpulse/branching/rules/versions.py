"""Versions of releases and of their candidates: vX.Y.Z and vX.Y.Z-rc.N."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import total_ordering

from genpulse.branching.codes import Code
from genpulse.branching.errors import NameRefused, ReleaseRefused

_NUMBER = r"(0|[1-9][0-9]{0,8})"
_VERSION = re.compile(rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-rc\.([1-9][0-9]{{0,8}}))?")
_NEAR = re.compile(r"(?:v|ver|version|release|rel)?[-_./]?[0-9]+\.[0-9][0-9a-z.+_-]*", re.IGNORECASE)
_PACKAGE = re.compile(
    r"v?(?P<release>[0-9]{1,9}(?:\.[0-9]{1,9})*)"
    r"(?:[-_.]?(?P<kind>rc|c|pre|preview)[-_.]?(?P<number>[0-9]{1,9})?)?"
)
_THREE = (0, 0, 0)
_WITHDRAWN = "-withdrawn"
_RULE = "A release is called vX.Y.Z, its candidates vX.Y.Z-rc.1, vX.Y.Z-rc.2 and so on."


@total_ordering
@dataclass(frozen=True, slots=True)
class Version:
    """Three numbers, and a fourth for a candidate (None: the release itself). Releases are above candidates."""

    major: int
    minor: int
    patch: int
    candidate: int | None = None

    @property
    def tag(self) -> str:
        """The tag's name."""
        return f"v{self}"

    @property
    def final(self) -> "Version":
        """The release that this is a candidate for; a release is its own."""
        return replace(self, candidate=None)

    @property
    def pep440(self) -> str:
        """The version as Python packages write it: v1.0.0-rc.1 is 1.0.0rc1."""
        return f"{self.major}.{self.minor}.{self.patch}" + (f"rc{self.candidate}" if self.candidate else "")

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}" + (f"-rc.{self.candidate}" if self.candidate else "")

    def __lt__(self, other: object) -> bool:
        return self._rank < other._rank if isinstance(other, Version) else NotImplemented

    @property
    def _rank(self) -> tuple[int, int, int, float]:
        return self.major, self.minor, self.patch, float("inf") if self.candidate is None else self.candidate


def version_of(tag: str) -> Version | None:
    """The version that a tag of exactly this name stands for; None for every other tag."""
    match = _VERSION.fullmatch(tag[1:]) if tag.startswith("v") else None
    if match is None:
        return None
    major, minor, patch, candidate = match.groups()
    return Version(int(major), int(minor), int(patch), int(candidate) if candidate else None)


def withdrawal_tag(candidate: Version) -> str:
    """The name of the tag that says that a candidate counts no more."""
    return f"{candidate.tag}{_WITHDRAWN}"


def withdrawn_by(tag: str) -> Version | None:
    """The candidate that a tag of this name withdraws; None for every other tag."""
    version = version_of(tag.removesuffix(_WITHDRAWN)) if tag.endswith(_WITHDRAWN) else None
    return version if version and version.candidate else None


def is_near_miss(tag: str) -> bool:
    """Whether a tag of this name looks like a version to a person and is none: `2.0.0`, `v2.0`, `v1.0.0-rc1`."""
    return version_of(tag) is None and withdrawn_by(tag) is None and _NEAR.fullmatch(tag) is not None


def version_named(text: str) -> Version:
    """Parse `1.0.0`, `v1.0.0`, `v1.0.0-rc.1`, or a Python package's `1.0.0rc1`.

    Raises `NameRefused` for anything else.
    """
    version = version_of(f"v{text.strip().removeprefix('v')}") or _from_pep440(text)
    if version is None:
        note = "Write three numbers, such as 1.4.0."
        raise NameRefused("version_malformed", _RULE, f"{text!r} is no version.", note=note)
    return version


def next_candidate(tags: Iterable[str], version: Version | None = None) -> Version:
    """The candidate to tag next: one more of `version`.

    Without a version it is the highest that is open, else a minor step above the last release (and above tags such
    as `1.4.2`, which are no releases here), else 0.1.0. Raises `ReleaseRefused` for a version that is released or
    below the last release.
    """
    names = tuple(tags)
    versions = [other for tag in names if (other := version_of(tag))]
    finals = [other for other in versions if other.candidate is None]
    bare = [other for tag in names if (other := version_of(f"v{tag}"))]
    final = version.final if version else _next_version(open_releases(names), finals, bare)
    check_order(final, finals)
    numbers = [other.candidate or 0 for other in versions if other.final == final]
    return replace(final, candidate=max(numbers, default=0) + 1)


def check_order(version: Version, finals: Iterable[Version]) -> None:
    """Raises `ReleaseRefused` when the version is released already, or is below the last release."""
    released = set(finals)
    last = max(released, default=None)
    if last is None or version > last:
        return
    finding = (
        f"{version.tag} exists."
        if version in released
        else f"{version.tag} is below {last.tag}, the last release."
    )
    above = replace(last, patch=last.patch + 1)
    code: Code = "version_exists" if version in released else "version_below_last"
    raise ReleaseRefused(
        code,
        "A version is released once, and every release is above the one before.",
        finding,
        f"genpulse flow rc --version {above}",
        note=f"Take {above} or above.",
    )


def open_releases(tags: Iterable[str]) -> tuple[Version, ...]:
    """The newest candidate of each release that is above the last one and not withdrawn, the highest first."""
    names = tuple(tags)
    versions = [version for tag in names if (version := version_of(tag))]
    last = max((version for version in versions if version.candidate is None), default=None)
    newest: dict[Version, Version] = {}
    for version in sorted(versions):
        if version.candidate and (last is None or version.final > last):
            newest[version.final] = version
    closed = {withdrawn_by(tag) for tag in names}
    return tuple(sorted((version for version in newest.values() if version not in closed), reverse=True))


def _next_version(open_ones: tuple[Version, ...], finals: list[Version], bare: list[Version]) -> Version:
    if open_ones:
        return open_ones[0].final
    highest = max([*finals, *(version.final for version in bare)], default=None)
    return Version(highest.major, highest.minor + 1, 0) if highest else Version(0, 1, 0)


def _from_pep440(text: str) -> Version | None:
    """`1.0`, `1.0.0rc1`, `1.0-c.1`: what PEP 440 takes for three numbers and a candidate."""
    match = _PACKAGE.fullmatch(text.strip().lower())
    if match is None:
        return None
    numbers = [int(number) for number in match["release"].split(".")]
    candidate = int(match["number"] or 0) if match["kind"] else None
    if len(numbers) > len(_THREE) or candidate == 0:
        return None
    major, minor, patch = (*numbers, *_THREE)[: len(_THREE)]
    return version_of(Version(major, minor, patch, candidate).tag)
