"""Make a version's tag and publish it, or leave no trace."""

from genpulse.branching.errors import GitFailed, ReleaseRefused
from genpulse.branching.git.objects import Object, object_named
from genpulse.branching.git.repository import Repository
from genpulse.branching.git.signatures import demand_signed
from genpulse.branching.git.tags import demand_published, tag_here
from genpulse.branching.rules.versions import Version


def publish(repository: Repository, version: Version, commit: str, message: str, *beside: str) -> None:
    """Tag the commit and push the tag together with `beside` (refspecs), all or nothing.

    The tag is annotated, and signed where git is told to sign or the team demands it. What is pushed is looked at
    before: git may end well and have made another tag than it was asked for. When that or the push fails, or is
    interrupted, the tag is gone again. Raises `ReleaseRefused` when the tag exists, `GitFailed` otherwise.
    """
    tag = version.tag
    demand_free(repository, version)
    demanded = repository.policy.demands_signature(version)
    signs = demanded or repository.signs_tags
    repository.git("tag", "-s" if signs else "-a", "--message", message, "--", tag, commit)
    tag_object = object_named(repository.git, f"refs/tags/{tag}")
    try:
        _demand_made(tag, tag_object, commit)
        if signs:
            demand_signed(repository, tag, tag_object.id, known=demanded)
        refspec = f"{tag_object.id}:refs/tags/{tag}"
        repository.git.remotely("push", "--quiet", "--atomic", "--", repository.remote, *beside, refspec)
    except BaseException:
        repository.git("update-ref", "-d", f"refs/tags/{tag}", tag_object.id)
        raise
    finally:
        repository.forget()


def demand_free(repository: Repository, version: Version) -> None:
    """Raises `ReleaseRefused` when there is such a tag, here or on the remote."""
    if version in repository.known_versions:
        rule, finding = "A version is tagged once.", f"{version.tag} exists."
        note = "Take the next version."
        raise ReleaseRefused("version_exists", rule, finding, "genpulse flow status", note=note)
    if version.tag in repository.refs.tags:
        demand_published(repository, tag_here(repository, version))


def _demand_made(tag: str, tag_object: Object, commit: str) -> None:
    head = tag_object.content.partition("\n\n")[0].splitlines() if tag_object.kind == "tag" else ()
    if not {f"object {commit}", "type commit", f"tag {tag}"} <= set(head):
        finding = f"{tag} became {tag_object.id[:9]}, which is no annotated tag on {commit[:9]}."
        raise GitFailed(
            "git_failed", "A version is an annotated tag.", finding, note="Look at git's settings: git var -l"
        )
