"""A task's result for whoever shows it in a shape of its own."""

from collections.abc import Callable
from uuid import UUID

from genpulse.domain.assets.asset import Asset
from genpulse.domain.json.value import JsonValue
from genpulse.domain.task import Task


def result_with(task: Task, shown_file: Callable[[UUID, Asset | None], JsonValue]) -> JsonValue:
    """What the provider answered, with what `shown_file` gives in the place of each file; None without any.

    Names and their order are the provider's. A missing file is None. An asset that was deleted since has an id
    alone.
    """
    if task.result is None:
        return None
    assets = {asset.id: asset for asset in task.outputs}
    return task.result.value_with(lambda asset_id: shown_file(asset_id, assets.get(asset_id)))
