"""Make a version's tag and publish it, or leave no trace."""

from genpulse.branching.errors import ReleaseRefused
from genpulse.branching.repository import Repository
from genpulse.branching.versions import Version


def publish(repository: Repository, version: Version, commit: str, message: str, *beside: str) -> None:
    """Tag the commit and push the tag together with `beside` (refspecs), all or nothing.

    The tag is annotated, and signed where git is told to sign. When the push fails or is interrupted the tag is
    gone again. Raises `ReleaseRefused` when the tag exists, `GitFailed` otherwise.
    """
    tag = version.tag
    demand_free(repository, version)
    repository.git("tag", "-s" if repository.signs_tags else "-a", "--message", message, "--", tag, commit)
    made = repository.git("rev-parse", "--verify", f"refs/tags/{tag}").line
    try:
        refspec = f"refs/tags/{tag}:refs/tags/{tag}"
        repository.git.remotely("push", "--quiet", "--atomic", "--", repository.remote, *beside, refspec)
    except BaseException:
        repository.git("update-ref", "-d", f"refs/tags/{tag}", made)
        raise
    finally:
        repository.forget()


def demand_free(repository: Repository, version: Version) -> None:
    """Raises `ReleaseRefused` when there is such a tag."""
    if version.tag in repository.refs.tags:
        note = "Take the next version."
        raise ReleaseRefused(
            "version_exists",
            "A version is tagged once.",
            f"{version.tag} exists.",
            "genpulse flow status",
            note=note,
        )
