"""What a model has made, as its clients know it: one address, or a list of them, or what Replicate itself says."""

from pydantic import BaseModel

from genpulse.dialects.replicate.links import ReplicateLinks
from genpulse.domain.errors import UnknownModel
from genpulse.domain.json.value import JsonValue
from genpulse.domain.result.shown_result import result_with
from genpulse.domain.task import Task, TaskStatus
from genpulse.ports import Services

VENDOR = "replicate"
_COUNTS = frozenset(
    {"batch_size", "n", "num_images", "num_outputs", "num_samples", "num_videos", "number_of_images"}
)
"""Fields of inputs by which callers say how many they want."""


def takes_count(input_type: type[BaseModel]) -> bool:
    """Whether this input can ask for several outputs: then there is a list, however many there are."""
    return not _COUNTS.isdisjoint(input_type.model_fields)


def output_of(task: Task, services: Services, links: ReplicateLinks) -> JsonValue:
    """What the task has made: null before its end, and where it made nothing.

    A model of Replicate's own gives what Replicate gave, with our addresses in place of its own.
    """
    if task.status is not TaskStatus.SUCCEEDED:
        return None
    if task.result is not None and (task.provider == VENDOR or not task.outputs):
        return result_with(task, lambda asset_id, _asset: links.ours.content(asset_id))
    addresses = [links.ours.content(asset.id) for asset in task.outputs]
    if len(addresses) == 1 and not _is_list(services, task.model):
        return addresses[0]
    return addresses or None


def _is_list(services: Services, model_id: str) -> bool:
    """Whether the model is known to make several."""
    try:
        return takes_count(services.catalogue.model(model_id).input)
    except UnknownModel:
        return False
