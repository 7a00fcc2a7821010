"""Machine-readable output of `genpulse flow`, described in docs/reference/flow-refusals.md."""

from collections.abc import Sequence
from datetime import UTC, datetime

from genpulse.branching.errors import Refusal
from genpulse.branching.merge_check import Answer, Asked
from genpulse.branching.releases.deployment import Deployable
from genpulse.branching.releases.verification import Verified
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
    """What a command says that refuses; `reason` is the first of what it refuses, in words."""
    return {
        "ok": False,
        "reason": refusals[0].message if refusals else None,
        "refusals": [refusal_document(refusal) for refusal in refusals],
    }


def answer_document(asked: Asked, found: Answer) -> dict[str, object]:
    """What the gate says."""
    return {
        "head": asked.head,
        "base": asked.base,
        "allowed": bool(found),
        "rule": found.rule,
        "refusals": [refusal_document(refusal) for refusal in found.refusals],
        "warnings": [refusal_document(warning) for warning in found.warnings],
        "unchecked": found.unchecked,
    }


def merge_sentence(asked: Asked, found: Answer) -> str:
    """What the gate says to people when nothing is in the way."""
    return f"{asked.head} may be merged into {asked.base}: {found.rule}" if asked.base else found.rule


def version_document(found: Version) -> dict[str, object]:
    """A version that was tagged."""
    return {"tag": found.tag, "version": str(found), "pep440": found.pep440}


def verified_document(found: Verified) -> dict[str, object]:
    """A release that holds."""
    return {
        **version_document(found.version),
        "ref": f"refs/tags/{found.version.tag}",
        "commit": found.commit,
        "tree": found.tree,
        "candidate": found.candidate.tag if found.candidate else None,
        "tagged_at": datetime.fromtimestamp(found.when, UTC).isoformat(),
        "signature_verified": found.signed,
    }


def deployable_document(found: Deployable, remark: str = "") -> dict[str, object]:
    """Where something belongs; `remark` says that something else is checked out.

    `environment` is what ENV is there, as `env` is.
    """
    environment = found.row.environment
    return {
        "ok": True,
        "reason": None,
        "ref": found.ref,
        "commit": found.commit,
        "version": str(found.version) if found.version else None,
        "environment": environment.name,
        "env": environment.name,
        "target": found.row.target,
        "checked_out": not remark,
    }


def annotation(level: str, refusal: Refusal) -> str:
    """A line that shows it on a pull request of GitHub. `level` is `error` or `warning`."""
    mend = f" Mend: {' ; '.join(refusal.mend)}" if refusal.mend else ""
    note = f" {refusal.note}" if refusal.note else ""
    text = f"{refusal.message}{note}{mend}"
    escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return f"::{level} title=genpulse flow::{escaped}"


def verified_sentence(found: Verified) -> str:
    """The same for people."""
    signed = ", signature good" if found.signed else ""
    return f"{found.version.tag} is a verified release: commit {found.commit[:9]}, {tested(found)}{signed}."


def tested(found: Verified) -> str:
    """What a release was tested as, in words."""
    return f"tested as {found.candidate.tag}" if found.candidate else "from before the flow"


def deployable_sentence(found: Deployable) -> str:
    """The same for people."""
    row = found.row
    return f"{found.ref} ({found.commit[:9]}) belongs to {row.target}: ENV={row.environment.name}"
