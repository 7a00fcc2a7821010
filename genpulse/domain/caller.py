"""The caller of the API, as it travels from authentication to the row."""

from dataclasses import dataclass

from genpulse.domain.api_key import ApiKey, KeyLimits, Scope
from genpulse.domain.task import Priority

_NO_LIMITS = KeyLimits()


@dataclass(frozen=True, slots=True)
class Caller:
    """A caller: `key` is the API key, None where none is needed.

    `owner` is the key's id as tasks and assets carry it, empty without a key.
    """

    owner: str = ""
    key: ApiKey | None = None

    @classmethod
    def with_key(cls, key: ApiKey | None) -> "Caller":
        """The caller that has this key, or none."""
        return WITHOUT_KEY if key is None else cls(str(key.id), key)

    @property
    def limits(self) -> KeyLimits:
        """The limits of the key; no limit at all without one."""
        return _NO_LIMITS if self.key is None else self.key.limits

    @property
    def sees_all(self) -> bool:
        """Whether tasks and assets of other owners are visible to this caller."""
        return self.key is None or self.key.allows(Scope.ADMIN)

    @property
    def usual_priority(self) -> Priority:
        """The priority of a task that asks for none."""
        return self.limits.usual_priority

    def sees(self, owner: str) -> bool:
        """Whether what belongs to this owner is visible to this caller."""
        return self.sees_all or owner == self.owner


WITHOUT_KEY = Caller()
"""The caller where no key is needed, and the program itself."""
