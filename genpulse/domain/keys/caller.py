"""The caller of the API, as it travels from authentication to the row."""

from dataclasses import dataclass, field

from genpulse.domain.keys.api_key import ApiKey, KeyLimits, Scope
from genpulse.domain.task import Priority


@dataclass(frozen=True, slots=True)
class Caller:
    """A caller: `key` is the API key, None where none is needed.

    `owner` is the key's id as tasks and assets carry it, and `limits` are the key's: empty and none without a key.
    """

    key: ApiKey | None = None
    owner: str = field(init=False, default="")
    limits: KeyLimits = field(init=False, default_factory=KeyLimits)

    def __post_init__(self) -> None:
        if self.key is not None:
            object.__setattr__(self, "owner", str(self.key.id))
            object.__setattr__(self, "limits", self.key.limits)

    @property
    def sees_all(self) -> bool:
        """Whether tasks and assets of other owners are visible to this caller."""
        return self.key is None or self.key.allows(Scope.VIEW)

    @property
    def sees_owner(self) -> str | None:
        """The one owner whose tasks and assets are visible to this caller; None: everybody's are."""
        return None if self.sees_all else self.owner

    @property
    def usual_priority(self) -> Priority:
        """The priority of a task that asks for none."""
        return self.limits.usual_priority

    def sees(self, owner: str) -> bool:
        """Whether what belongs to this owner is visible to this caller."""
        return self.sees_all or owner == self.owner


WITHOUT_KEY = Caller()
"""The caller where no key is needed, and the program itself."""
