"""What a model makes, in the shape that clients expect: one address, or a list of them."""

from pydantic import BaseModel

from genpulse.dialects.replicate.links import ReplicateLinks
from genpulse.domain.errors import UnknownModel
from genpulse.domain.json.value import JsonValue
from genpulse.domain.task import Task, TaskStatus
from genpulse.ports import Services

_COUNTS = frozenset(
    {"batch_size", "n", "num_images", "num_outputs", "num_samples", "num_videos", "number_of_images"}
)
"""Fields of inputs by which callers say how many they want."""


def takes_count(wanted: type[BaseModel]) -> bool:
    """Whether this input can ask for several outputs: then there is a list, however many there are."""
    return not _COUNTS.isdisjoint(wanted.model_fields)


def is_list(services: Services, model_id: str) -> bool:
    """Whether the model is known to make several."""
    try:
        return takes_count(services.catalogue.model(model_id).input)
    except UnknownModel:
        return False


def output_of(task: Task, services: Services, links: ReplicateLinks) -> JsonValue:
    """What the task has made: null before its end, and where it made nothing."""
    if task.status is not TaskStatus.SUCCEEDED or not task.outputs:
        return None
    addresses = [links.ours.content(asset.id) for asset in task.outputs]
    if len(addresses) == 1 and not is_list(services, task.model):
        return addresses[0]
    return addresses
