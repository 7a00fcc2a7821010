"""Signatures of tags."""

import re

from genpulse.branching.errors import GitFailed, ReleaseRefused
from genpulse.branching.git.refs import Ref
from genpulse.branching.git.repository import Repository
from genpulse.branching.rules.versions import Version

_SIGNATURE = re.compile(r"^-----BEGIN (PGP|SSH) (SIGNATURE|MESSAGE)-----$|^-----BEGIN SIGNED MESSAGE-----$", re.M)
_RULE = "Tags are signed here."


def demand_signature(repository: Repository, ref: Ref, version: Version) -> None:
    """Raises `ReleaseRefused` unless a tag has a good signature of somebody who is known here."""
    try:
        repository.git("verify-tag", "--", ref.object)
    except GitFailed as error:
        kind = "Releases" if version.candidate is None else "Candidates"
        finding, note = f"{ref.name}: {error.found}", "Look whether the signer's key is known here."
        raise ReleaseRefused(
            "signature_bad", f"{kind} are signed here.", finding, f"git verify-tag {ref.name}", note=note
        ) from error


def demand_signed(repository: Repository, tag: str, object_: str, *, known: bool) -> None:
    """Raises `GitFailed` when git made a tag without the signature that it was asked for.

    With `known` the signature has to be good as well, so that others can verify it too.
    """
    note = "Nothing was pushed. Is the signing key there? git config user.signingkey"
    if not _SIGNATURE.search(repository.git("cat-file", "tag", object_).out):
        raise GitFailed("signing_failed", _RULE, f"git made {tag} without a signature.", note=note)
    if known:
        _demand_known(repository, tag, object_)


def _demand_known(repository: Repository, tag: str, object_: str) -> None:
    try:
        repository.git("verify-tag", "--", object_)
    except GitFailed as error:
        note = "Nothing was pushed, since nobody could verify it. Is the signer's key known here?"
        raise GitFailed("signing_failed", _RULE, f"{tag}: {error.found}", note=note) from error
