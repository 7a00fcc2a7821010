"""The caller of the API, as it travels from authentication to the row."""

from dataclasses import dataclass, field
from uuid import UUID

from genpulse.domain.keys.api_key import ApiKey, KeyLimits, Scope
from genpulse.domain.keys.client_token import ClientToken
from genpulse.domain.task import Priority, Task


@dataclass(frozen=True, slots=True)
class Caller:
    """A caller: `key` is the API key, None where none is needed.

    With a `token` it is whoever the holder of the key has given that, who may far less: what is asked of the key
    below is asked of the token first. `owner` is the key's id as tasks and assets carry it, and `limits` are the
    key's: empty and none without a key.
    """

    key: ApiKey | None = None
    token: ClientToken | None = None
    owner: str = field(init=False, default="")
    limits: KeyLimits = field(init=False, default_factory=KeyLimits)

    def __post_init__(self) -> None:
        if self.key is not None:
            object.__setattr__(self, "owner", str(self.key.id))
            object.__setattr__(self, "limits", self.key.limits)

    @property
    def sees_all(self) -> bool:
        """Whether tasks and assets of other owners are visible to this caller."""
        return self.token is None and self._key_sees_all

    @property
    def sees_owner(self) -> str | None:
        """The one owner whose tasks and assets are visible to this caller; None: everybody's are."""
        return None if self.sees_all else self.owner

    @property
    def usual_priority(self) -> Priority:
        """The priority of a task that asks for none."""
        return self.limits.usual_priority

    @property
    def _key_sees_all(self) -> bool:
        return self.key is None or self.key.allows(Scope.VIEW)

    def sees(self, owner: str) -> bool:
        """Whether whatever belongs to this owner is visible to this caller."""
        return self.sees_all or (self.token is None and owner == self.owner)

    def sees_task(self, task: Task) -> bool:
        """Whether this task is visible to this caller."""
        if self.token is None:
            return self.sees(task.owner)
        return self._is_of_key(task.owner) and self.token.opens(task.id, task.client_token)

    def sees_upload(self, asset_id: UUID, owner: str) -> bool:
        """Whether this file is visible to this caller that no task has made."""
        if self.token is None:
            return self.sees(owner)
        return self._is_of_key(owner) and asset_id in self.token.uploads

    def _is_of_key(self, owner: str) -> bool:
        return self._key_sees_all or owner == self.owner


WITHOUT_KEY = Caller()
"""The caller where no key is needed, and the program itself."""
