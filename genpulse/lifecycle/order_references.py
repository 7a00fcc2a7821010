"""What an order refers to: assets of its input, and its webhook URL."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TypeAlias

from genpulse.domain.asset import REFERENCE, referred
from genpulse.domain.errors import OutOfReach, Problem
from genpulse.domain.json.place import Place, values, written
from genpulse.domain.json.value import JsonObject, JsonValue
from genpulse.domain.task import NewTask
from genpulse.ports import Services

TOLD_AT_MOST = 100
"""So many places are told of one order."""
_REFERENCE = re.compile(rf"{REFERENCE}\S*")
"""What can only be meant as a reference; words that begin so have spaces among them."""
_Named: TypeAlias = tuple[str, Place, str]
"""The place of a task, the place in its input, and the text that stands there."""


def reaches_out(task: NewTask) -> bool:
    """Whether there may be anything to look for: most tasks name nothing, and this is asked of each."""
    return task.webhook_url is not None or _may_refer(task.input)


def _may_refer(document: JsonObject) -> bool:
    waiting: list[Iterable[JsonValue]] = [document.values()]
    for values_there in waiting:
        for inner in values_there:
            if isinstance(inner, str):
                if inner.startswith(REFERENCE):
                    return True
            elif isinstance(inner, dict):
                waiting.append(inner.values())
            elif isinstance(inner, list):
                waiting.append(inner)
    return False


async def check_reach(services: Services, tasks: Mapping[str, NewTask]) -> None:
    """Look for what these tasks name, each at its place, such as `/tasks/3`.

    An asset has to be there and to be of whoever asks; what is only said of a URL is looked at, and no name is
    asked for. Raises `OutOfReach`, `DatabaseUnavailable`.
    """
    problems = list(_unreachable(services, tasks))
    named = [(within, *found) for within, task in tasks.items() for found in _references(task)]
    if named:
        problems += await _missing(services, next(iter(tasks.values())).owner, named)
    if problems:
        raise OutOfReach("The task names what cannot be reached from here.", problems[:TOLD_AT_MOST])


def _unreachable(services: Services, tasks: Mapping[str, NewTask]) -> Iterator[Problem]:
    for place, task in tasks.items():
        if task.webhook_url is not None and (why := services.sender.refusal(task.webhook_url)):
            yield Problem(f"{place}/webhook_url", f"no message is ever sent there: {why}")


async def _missing(services: Services, owner: str, named: Sequence[_Named]) -> Sequence[Problem]:
    ids = {text: asset_id for *_, text in named if (asset_id := referred(text))}
    owners = await services.store.owners_of_assets(sorted(set(ids.values()))) if ids else {}
    fits = {text for text, asset_id in ids.items() if asset_id in owners and owner in {"", owners[asset_id]}}
    wrong = ((f"{within}/input{written(place)}", text) for within, place, text in named if text not in fits)
    return [Problem(place, _why(text, is_id=text in ids)) for place, text in islice(wrong, TOLD_AT_MOST)]


def _why(text: str, *, is_id: bool) -> str:
    if not is_id:
        return f"{text[:100]!r} is no reference to an asset; it has to be asset: and the id of an upload or output"
    return f"there is no {text}: it was removed, or never was there for this API key. Upload it again"


def _references(task: NewTask) -> Iterator[tuple[Place, str]]:
    """Each text that refers to an asset, and where in the input it stands."""
    for place, value in values(task.input):
        if isinstance(value, str) and value.startswith(REFERENCE) and _REFERENCE.fullmatch(value):
            yield place, value
