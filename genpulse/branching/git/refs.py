"""All refs of a repository, as one call of git tells them."""

from collections.abc import Mapping
from dataclasses import dataclass

from genpulse.branching.git.commits import printable
from genpulse.branching.git.process import Git
from genpulse.branching.releases.releasable import VersionTag
from genpulse.branching.rules.versions import Version, version_of

_HEADS = "refs/heads/"
_TAGS = "refs/tags/"
_FIELDS = (
    "refname",
    "objectname",
    "objecttype",
    "*objectname",
    "*objecttype",
    "tree",
    "*tree",
    "creatordate:unix",
    "HEAD",
    "symref",
    "tag",
    "contents:subject",
)
_FORMAT = "%00".join(f"%({field})" for field in _FIELDS)


@dataclass(frozen=True, slots=True)
class Ref:
    """A branch or tag. `name` is short, `full` begins with `refs/`.

    `object` is the tag's own id when it has one, and `says` the name that is written in it.

    `commit` and `tree` are empty for a tag on something that is no commit. `when` is in seconds since 1970.
    """

    name: str
    full: str
    object: str
    commit: str
    tree: str
    annotated: bool
    says: str
    when: int
    subject: str


@dataclass(frozen=True, slots=True)
class Refs:
    """Branches here, those of the remote as last fetched, and tags, by short name; and the branch that is out.

    `default` is the branch that the remote puts first, as this clone knows it; empty where it knows none.
    """

    heads: Mapping[str, Ref]
    remote: Mapping[str, Ref]
    tags: Mapping[str, Ref]
    current: str | None
    default: str = ""

    @property
    def versions(self) -> dict[Version, Ref]:
        """The tags that are versions, newest version first."""
        refs = {version: ref for name, ref in self.tags.items() if (version := version_of(name))}
        return {version: refs[version] for version in sorted(refs, reverse=True)}

    @property
    def tagged(self) -> tuple[VersionTag, ...]:
        """The version tags on commits, in the form that the rules take."""
        return tuple(
            VersionTag(version, ref.commit, ref.tree) for version, ref in self.versions.items() if ref.commit
        )


def branch_at(name: str, commit: str) -> Ref:
    """A branch of this name that is nowhere yet, or not here."""
    return Ref(name, f"{_HEADS}{name}", commit, commit, "", annotated=False, says="", when=0, subject="")


def read_refs(git: Git, remote: str) -> Refs:
    """Read all refs in one call of git."""
    prefix = f"refs/remotes/{remote}/"
    output = git("for-each-ref", f"--format={_FORMAT}", _HEADS, _TAGS, prefix)
    heads: dict[str, Ref] = {}
    remote_refs: dict[str, Ref] = {}
    tags: dict[str, Ref] = {}
    current, default = None, ""
    for line in output.out.split("\n"):
        fields = line.split("\0", len(_FIELDS) - 1)
        if len(fields) != len(_FIELDS):
            continue
        if fields[9] and fields[0].startswith(prefix):
            default = fields[9].removeprefix(prefix) if fields[0] == f"{prefix}HEAD" else default
            continue
        ref = _ref(fields, prefix)
        kind = heads if ref.full.startswith(_HEADS) else tags if ref.full.startswith(_TAGS) else remote_refs
        kind[ref.name] = ref
        current = ref.name if fields[8] == "*" else current
    return Refs(heads, remote_refs, tags, current, default)


def _ref(fields: list[str], prefix: str) -> Ref:
    full, object_, kind, inner, inner_kind, tree, inner_tree, when, _, _, says, subject = fields
    annotated = kind == "tag"
    marks_commit = (inner_kind if annotated else kind) == "commit"
    start = next(start for start in (_HEADS, _TAGS, prefix) if full.startswith(start))
    return Ref(
        name=full.removeprefix(start),
        full=full,
        object=object_,
        commit=(inner if annotated else object_) if marks_commit else "",
        tree=(inner_tree if annotated else tree) if marks_commit else "",
        annotated=annotated,
        says=says,
        when=int(when or 0),
        subject=printable(subject),
    )
