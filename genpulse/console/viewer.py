"""Who looks at a page, as far as the page depends on that."""

from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from genpulse.api.schemas.links import Links
from genpulse.domain.keys.api_key import Scope
from genpulse.domain.keys.caller import Caller
from genpulse.domain.task import Task
from genpulse.ports import EnvironmentFacts


@dataclass(frozen=True, slots=True)
class Viewer:
    """A caller who looks, through the `base` path under which the console is reached, without a slash at its end.

    Of two viewers with one `view` everything that is not a form looks the same.
    """

    caller: Caller
    base: str
    environment: EnvironmentFacts
    hides_content: bool
    links: Links = field(compare=False)

    @property
    def view(self) -> tuple[str, str, bool, bool]:
        """What of the viewer pages depend on, beside the tokens of forms."""
        owner = "all" if self.sees_all else self.caller.owner
        return owner, self.base, self.may_change, self.hides_content and not self.is_admin

    @property
    def sees_all(self) -> bool:
        """Whether tasks of every key are shown."""
        return self.caller.sees_all

    @property
    def owner(self) -> str | None:
        """Whose things are shown; None: everybody's."""
        return None if self.sees_all else self.caller.owner

    @property
    def is_admin(self) -> bool:
        """Whether this viewer may do what is for operators."""
        return self.allows(Scope.ADMIN)

    @property
    def may_change(self) -> bool:
        """Whether this viewer may submit, cancel and retry."""
        return self.allows(Scope.WRITE)

    def allows(self, scope: Scope) -> bool:
        """Whether the viewer's key allows this; without a key everything is."""
        return self.caller.key is None or self.caller.key.allows(scope)

    def shows_content(self, task: Task) -> bool:
        """Whether input and outputs of the task are shown."""
        return not self.hides_content or self.is_admin or task.owner == self.caller.owner

    def path(self, path: str = "") -> str:
        """The address of a page of the console."""
        return f"{self.base}/console{path}"


def links_of(base: str, signed: Callable[[UUID], str], *, has_thumbnails: bool) -> Links:
    """Addresses of assets as pages of the console load them: below the same origin, and signed."""
    return Links(base, signed, has_thumbnails=has_thumbnails)
