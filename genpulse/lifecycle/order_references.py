"""The check of what an order refers to: assets that its input names, and its webhook URL."""

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

MOST_PROBLEMS = 100
"""How many places a refusal names."""
_REFERENCE = re.compile(rf"{REFERENCE}\S*")
"""A text that can only be meant as a reference; prose that begins like one has spaces in it."""
_Reference: TypeAlias = tuple[str, Place, str]
"""The place of a task, the place in its input, and the text at that place."""


def names_something(task: NewTask) -> bool:
    """Whether `check_references` may have anything to look up: quick, since most tasks name nothing."""
    return task.webhook_url is not None or _may_name_assets(task.input)


def _may_name_assets(document: JsonObject) -> bool:
    containers: list[Iterable[JsonValue]] = [document.values()]
    for container in containers:
        for value in container:
            if isinstance(value, str):
                if value.startswith(REFERENCE):
                    return True
            elif isinstance(value, dict):
                containers.append(value.values())
            elif isinstance(value, list):
                containers.append(value)
    return False


async def check_references(services: Services, tasks: Mapping[str, NewTask]) -> None:
    """Each asset exists for the owner of the task, and each webhook URL may be called.

    The tasks are of one owner, each by its place in the body, such as `/tasks/3`. A URL is judged by its text: no
    name is resolved. Raises `OutOfReach`, `DatabaseUnavailable`.
    """
    problems = list(_refused_webhooks(services, tasks))
    references = [(place, *reference) for place, task in tasks.items() for reference in _references(task)]
    if references:
        problems += await _missing_assets(services, next(iter(tasks.values())).owner, references)
    if problems:
        raise OutOfReach("The task names what cannot be reached from here.", problems[:MOST_PROBLEMS])


def _refused_webhooks(services: Services, tasks: Mapping[str, NewTask]) -> Iterator[Problem]:
    for place, task in tasks.items():
        if task.webhook_url is not None and (why := services.sender.refusal(task.webhook_url)):
            yield Problem(f"{place}/webhook_url", f"no message is ever sent there: {why}")


async def _missing_assets(services: Services, owner: str, references: Sequence[_Reference]) -> Sequence[Problem]:
    ids = {text: asset_id for *_, text in references if (asset_id := referred(text))}
    owners = await services.store.owners_of_assets(sorted(set(ids.values()))) if ids else {}
    valid = {text for text, asset_id in ids.items() if asset_id in owners and owner in {"", owners[asset_id]}}
    wrong = ((f"{task}/input{written(place)}", text) for task, place, text in references if text not in valid)
    return [Problem(place, _why(text, is_id=text in ids)) for place, text in islice(wrong, MOST_PROBLEMS)]


def _why(text: str, *, is_id: bool) -> str:
    if not is_id:
        return f"{text[:100]!r} is no reference to an asset; it has to be asset: and the id of an upload or output"
    return f"there is no {text}: it was removed, or never was there for this API key. Upload it again"


def _references(task: NewTask) -> Iterator[tuple[Place, str]]:
    """Each text that refers to an asset, with its place in the input."""
    for place, value in values(task.input):
        if isinstance(value, str) and value.startswith(REFERENCE) and _REFERENCE.fullmatch(value):
            yield place, value
