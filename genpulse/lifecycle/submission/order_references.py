"""The check of what an order refers to: the files that its input names, and its webhook URL."""

import asyncio
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from uuid import UUID

from genpulse.domain.assets.asset import REFERENCE
from genpulse.domain.errors import OutOfReach, Problem, UnknownTask
from genpulse.domain.json.place import Place, field_of, values, written
from genpulse.domain.json.value import JsonObject, JsonValue
from genpulse.domain.keys.caller import Caller
from genpulse.domain.submission.file_reference import (
    FORMS,
    NO_ASSET,
    TASK,
    Medium,
    TaskOutput,
    asset_named,
    fits,
    is_content_address,
    output_named,
)
from genpulse.domain.submission.missing_output import ambiguity
from genpulse.domain.task import NewTask, Task, TaskStatus
from genpulse.lifecycle.submission.client_assets import assets_seen
from genpulse.ports import Services

MOST_PROBLEMS = 100
"""How many places a refusal names."""
_BEGINNINGS = (REFERENCE, TASK, "http://", "https://")
_REFERENCE = re.compile(rf"{REFERENCE}\S*")
"""A text that can only be meant as a reference; prose that begins like one has spaces in it."""


@dataclass(frozen=True, slots=True)
class _Reference:
    """A text that names a file, the place of its task and its own in the input, and the media it may be."""

    task: str
    place: Place
    text: str
    media: tuple[Medium, ...]


@dataclass(slots=True)
class _Known:
    """What is known of files that may be named by a caller's tasks: those of others are not there."""

    assets: Collection[UUID] = ()
    media_types: Mapping[UUID, str] = field(default_factory=dict)
    tasks: Mapping[UUID, Task] = field(default_factory=dict)


def names_something(task: NewTask) -> bool:
    """Whether `check_references` may have anything to look up: quick, since most tasks name nothing."""
    return task.webhook_url is not None or bool(task.files) or _may_name_files(task.input)


def _may_name_files(document: JsonObject) -> bool:
    containers: list[Iterable[JsonValue]] = [document.values()]
    for container in containers:
        for value in container:
            if isinstance(value, str):
                if value.startswith(_BEGINNINGS):
                    return True
            elif isinstance(value, dict):
                containers.append(value.values())
            elif isinstance(value, list):
                containers.append(value)
    return False


def sources_of(document: JsonObject) -> tuple[UUID, ...]:
    """The tasks whose outputs an input names, each once."""
    if not _may_name_files(document):
        return ()
    outputs = (output_named(value) for _, value in values(document) if isinstance(value, str))
    return tuple(dict.fromkeys(output.task_id for output in outputs if output))


async def check_references(services: Services, caller: Caller, tasks: Mapping[str, NewTask]) -> None:
    """Each file is there for the caller and fits its field, and each webhook URL may be called.

    The tasks are the caller's, each by its place in the body, such as `/tasks/3`. A URL is judged by its text: no
    name is resolved. Raises `OutOfReach`, `DatabaseUnavailable`.
    """
    problems = list(_refused_webhooks(services, tasks))
    references = [one for place, task in tasks.items() for one in _references(place, task, services.api_url)]
    if references:
        known = await _look_up(services, caller, references)
        problems += islice(_wrong_references(references, known, services.api_url), MOST_PROBLEMS)
    if problems:
        raise OutOfReach("The task names what cannot be reached from here.", problems[:MOST_PROBLEMS])


def _refused_webhooks(services: Services, tasks: Mapping[str, NewTask]) -> Iterator[Problem]:
    for place, task in tasks.items():
        if task.webhook_url is not None and (why := services.sender.refusal(task.webhook_url)):
            yield Problem(f"{place}/webhook_url", f"no message is ever sent there: {why}")


def _references(task_place: str, task: NewTask, api_url: str) -> Iterator[_Reference]:
    """Each text that names a file of ours, and whatever stands in a field for files."""
    fields: dict[Place, set[tuple[Medium, ...]]] = {}
    for file in task.files:
        fields.setdefault(file.place, set()).add(file.media)
    for place, value in values(task.input):
        if not isinstance(value, str):
            continue
        if place in fields:
            yield from (_Reference(task_place, place, value, media) for media in sorted(fields[place]))
        elif _REFERENCE.fullmatch(value) or output_named(value) or asset_named(value, api_url):
            yield _Reference(task_place, place, value, ())


async def _look_up(services: Services, caller: Caller, references: Sequence[_Reference]) -> _Known:
    store, url = services.store, services.api_url
    assets = {asset_id: one for one in references if (asset_id := asset_named(one.text, url))}
    of_fields = {asset_id for one in references if one.media and (asset_id := asset_named(one.text, url))}
    outputs = {output.task_id for one in references if (output := output_named(one.text))}
    owners = await store.owners_of_assets(sorted(assets)) if assets else {}
    fixed = _fixed(services, caller, references)
    seen = await assets_seen(services, caller, owners)
    tasks = await asyncio.gather(*(_task(services, task_id) for task_id in sorted(outputs)))
    return _Known(
        seen | {one for one, owner in owners.items() if one in fixed and caller.owner in {"", owner}},
        await store.media_types(sorted(of_fields)) if of_fields else {},
        {task.id: task for task in tasks if task is not None and _may_name(caller, task, fixed)},
    )


def _may_name(caller: Caller, task: Task, fixed: Collection[UUID]) -> bool:
    """Its own alone, also where the caller may look at those of everybody."""
    if caller.token is not None and task.id not in fixed:
        return caller.sees_task(task)
    return caller.owner in {"", task.owner}


def _fixed(services: Services, caller: Caller, references: Iterable[_Reference]) -> frozenset[UUID]:
    """What the maker of a client token names in its part of the input, by the right of its own key."""
    orders = caller.token.orders if caller.token else None
    if orders is None or not orders.input:
        return frozenset()
    texts = [one.text for one in references if field_of(one.place) in orders.input]
    assets = (asset_named(text, services.api_url) for text in texts)
    outputs = (output_named(text) for text in texts)
    return frozenset([*filter(None, assets), *(output.task_id for output in outputs if output)])


async def _task(services: Services, task_id: UUID) -> Task | None:
    try:
        return await services.store.get(task_id)
    except UnknownTask:
        return None


def _wrong_references(references: Iterable[_Reference], lookup: _Known, api_url: str) -> Iterator[Problem]:
    for one in references:
        if why := _fault(one, lookup, api_url):
            yield Problem(f"{one.task}/input{written(one.place)}", why)


def _fault(one: _Reference, lookup: _Known, api_url: str) -> str | None:
    """What is wrong with a reference, None where nothing is known to be."""
    if output := output_named(one.text):
        return _output_fault(one, output, lookup)
    if asset_id := asset_named(one.text, api_url):
        if asset_id not in lookup.assets:
            gone = "it was removed, or never was there for this API key. Upload it again"
            return f"there is no {one.text[:200]}: {gone}"
        return _misfit(one, lookup.media_types.get(asset_id, ""))
    if one.text.startswith(REFERENCE):
        return f"{one.text[:100]!r} {NO_ASSET}"
    if one.text.startswith("http://"):
        where = "the address of an asset elsewhere" if is_content_address(one.text) else "no https URL"
        return f"{one.text[:100]!r} is {where}; it has to be {FORMS}"
    return None


def _output_fault(one: _Reference, output: TaskOutput, lookup: _Known) -> str | None:
    task = lookup.tasks.get(output.task_id)
    if task is None:
        return f"there is no {one.text}: the task was removed, or never was there for this API key"
    if not task.status.ended:
        return None
    if task.status is not TaskStatus.SUCCEEDED:
        return f"the task of {one.text} is {task.status.value}, and has no outputs"
    if why := ambiguity(task, output):
        return f"{one.text} {why}"
    if output.index >= len(task.outputs):
        return f"the task of {one.text} has {len(task.outputs)} outputs; #0 is the first one"
    return _misfit(one, task.outputs[output.index].content.media_type)


def _misfit(one: _Reference, media_type: str) -> str | None:
    if fits(media_type, one.media):
        return None
    return f"{one.text[:200]} is {media_type}, and this field takes {' or '.join(one.media)}"
