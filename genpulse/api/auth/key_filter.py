"""Whose tasks a caller means and may see, and by what name it hears of them."""

from collections.abc import Iterable, Mapping, Sequence

from genpulse.api.errors import InsufficientScope
from genpulse.api.schemas.tasks.documents import KeyDocument
from genpulse.domain.errors import Refused
from genpulse.domain.keys.api_key import ApiKey, Scope
from genpulse.domain.keys.caller import Caller
from genpulse.domain.task import Task
from genpulse.ports import KeyStore


class NoSuchKey(Refused):
    """No API key has this id or name."""

    code = "invalid_input"

    def __init__(self, word: str) -> None:
        super().__init__(f"No API key here has the id or the name {word[:100]!r}")


async def owners_meant(keys: KeyStore, caller: Caller, words: Sequence[str]) -> tuple[str, ...]:
    """The owners of the tasks that are meant, none for all. A key is named by its id or its name.

    Raises `NoSuchKey`, `InsufficientScope` where it is another's key, and `DatabaseUnavailable`.
    """
    if caller.sees_all and not words:
        return ()
    if not caller.sees_all:
        if caller.key is not None and not all(_is_named(caller.key, word) for word in words):
            raise InsufficientScope(Scope.ADMIN, sorted(caller.key.scopes))
        return (caller.owner,)
    known = await keys.all()
    return tuple(owner for word in words for owner in _owners(known, word))


def _owners(keys: tuple[ApiKey, ...], word: str) -> tuple[str, ...]:
    """Several keys may have one name, such as the one that took the place of another."""
    owners = tuple(str(key.id) for key in keys if _is_named(key, word))
    if not owners:
        raise NoSuchKey(word)
    return owners


def _is_named(key: ApiKey, word: str) -> bool:
    return word == key.name or word.lower() == str(key.id)


async def keys_shown(keys: KeyStore, caller: Caller, tasks: Iterable[Task]) -> Mapping[str, KeyDocument]:
    """The keys of these tasks by their owner, for a caller that sees all tasks. Raises `DatabaseUnavailable`."""
    owners = {task.owner for task in tasks if task.owner} if caller.sees_all else set()
    readable_keys: tuple[ApiKey, ...] = () if caller.key is None else (caller.key,)
    if not owners <= {caller.owner}:
        readable_keys = await keys.all()
    return {
        owner: KeyDocument(id=owner, name=key.name) for key in readable_keys if (owner := str(key.id)) in owners
    }
