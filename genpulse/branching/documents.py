"""Machine-readable output of `genpulse flow`, described in docs/reference/flow-refusals.md."""

from collections.abc import Sequence
from datetime import UTC, datetime

from genpulse.branching.errors import Refusal
from genpulse.branching.merge_check import MergeVerdict, ProposedMerge
from genpulse.branching.releases.deployment import Deployable
from genpulse.branching.releases.verification import VerifiedRelease
from genpulse.branching.rules.versions import Version


def refusal_document(refusal: Refusal) -> dict[str, object]:
    """A refusal."""
    return {
        "code": refusal.code,
        "message": refusal.message,
        "rule": refusal.rule,
        "found": refusal.found,
        "note": refusal.note,
        "mend": list(refusal.mend),
    }


def refused_document(refusals: Sequence[Refusal]) -> dict[str, object]:
    """The document of a command that refuses; `reason` is the message of the first refusal."""
    return {
        "ok": False,
        "reason": refusals[0].message if refusals else None,
        "refusals": [refusal_document(refusal) for refusal in refusals],
    }


def verdict_document(merge: ProposedMerge, verdict: MergeVerdict) -> dict[str, object]:
    """The verdict of the merge check."""
    return {
        "head": merge.head,
        "base": merge.base,
        "allowed": bool(verdict),
        "rule": verdict.rule,
        "refusals": [refusal_document(refusal) for refusal in verdict.refusals],
        "warnings": [refusal_document(warning) for warning in verdict.warnings],
        "unchecked": verdict.unchecked,
    }


def merge_sentence(merge: ProposedMerge, verdict: MergeVerdict) -> str:
    """The sentence for people when a merge is allowed."""
    return f"{merge.head} may be merged into {merge.base}: {verdict.rule}" if merge.base else verdict.rule


def version_document(version: Version) -> dict[str, object]:
    """A version that was tagged."""
    return {"tag": version.tag, "version": str(version), "pep440": version.pep440}


def verified_document(release: VerifiedRelease) -> dict[str, object]:
    """A release that holds."""
    return {
        **version_document(release.version),
        "ref": f"refs/tags/{release.version.tag}",
        "commit": release.commit,
        "tree": release.tree,
        "candidate": release.candidate.tag if release.candidate else None,
        "tagged_at": datetime.fromtimestamp(release.when, UTC).isoformat(),
        "signature_verified": release.signed,
    }


def deployable_document(deployable: Deployable, remark: str = "") -> dict[str, object]:
    """The environment that a ref belongs to; `remark` says that something else is checked out.

    `environment` is what ENV is there, as `env` is.
    """
    environment = deployable.row.environment
    return {
        "ok": True,
        "reason": None,
        "ref": deployable.ref,
        "commit": deployable.commit,
        "version": str(deployable.version) if deployable.version else None,
        "environment": environment.name,
        "env": environment.name,
        "target": deployable.row.target,
        "checked_out": not remark,
    }


def annotation(level: str, refusal: Refusal) -> str:
    """A line that shows it on a pull request of GitHub. `level` is `error` or `warning`."""
    mend = f" Mend: {' ; '.join(refusal.mend)}" if refusal.mend else ""
    note = f" {refusal.note}" if refusal.note else ""
    text = f"{refusal.message}{note}{mend}"
    escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return f"::{level} title=genpulse flow::{escaped}"


def verified_sentence(release: VerifiedRelease) -> str:
    """The same for people."""
    signed = ", signature good" if release.signed else ""
    return f"{release.version.tag} is a verified release: commit {release.commit[:9]}, {tested(release)}{signed}."


def tested(release: VerifiedRelease) -> str:
    """Name the candidate that a release was tested as."""
    return f"tested as {release.candidate.tag}" if release.candidate else "from before the flow"


def deployable_sentence(deployable: Deployable) -> str:
    """The same for people."""
    row = deployable.row
    return f"{deployable.ref} ({deployable.commit[:9]}) belongs to {row.target}: ENV={row.environment.name}"
