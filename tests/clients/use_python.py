"""What a user does with the client that openapi-python-client makes of the document.

python use_python.py <url> <key> <model>
"""

import sys
import time
from io import BytesIO
from uuid import UUID

import httpx
from genpulse_api import AuthenticatedClient
from genpulse_api.api.assets import fetch_content, upload_file
from genpulse_api.api.catalogue import show_model
from genpulse_api.api.tasks import list_tasks, show_task, submit_batch, submit_task, watch_task
from genpulse_api.models.batch import Batch
from genpulse_api.models.batch_order import BatchOrder
from genpulse_api.models.kept_asset import KeptAsset
from genpulse_api.models.model import Model
from genpulse_api.models.order import Order
from genpulse_api.models.order_input import OrderInput
from genpulse_api.models.priority import Priority
from genpulse_api.models.problem import Problem
from genpulse_api.models.task import Task
from genpulse_api.models.task_batch import TaskBatch
from genpulse_api.models.task_page import TaskPage
from genpulse_api.models.task_status import TaskStatus
from genpulse_api.models.upload_file_body import UploadFileBody
from genpulse_api.types import File


def ended(client: AuthenticatedClient, task_id: UUID) -> Task:
    """The task at its end."""
    while True:
        task = show_task.sync(task_id, client=client)
        assert isinstance(task, Task), task
        if task.status not in {TaskStatus.QUEUED, TaskStatus.RUNNING}:
            return task
        time.sleep(0.1)


def main(url: str, key: str, model: str) -> None:
    """Raises `AssertionError` where something is not as its type says."""
    order = Order(
        model=model, input_=OrderInput.from_dict({"prompt": "a red fox at dawn"}), priority=Priority.HIGH
    )
    with AuthenticatedClient(base_url=url, token=key, raise_on_unexpected_status=True) as client:
        submitted = submit_task.sync(client=client, body=order, prefer="wait=20")
        assert isinstance(submitted, Task), submitted
        task = ended(client, submitted.id)
        assert task.status is TaskStatus.SUCCEEDED, task.error
        (output,) = task.outputs
        found = httpx.get(output.url)
        assert len(found.content) == output.bytes_

        content = fetch_content.sync(output.id, client=client)
        assert isinstance(content, File)
        assert content.payload.read() == found.content
        events = watch_task.sync(task.id, client=client)
        assert isinstance(events, str)
        assert "event: done" in events
        uploaded = upload_file.sync(client=client, body=UploadFileBody(File(BytesIO(b"a few words"), "words.txt")))
        assert isinstance(uploaded, KeptAsset), uploaded
        assert uploaded.bytes_ == len(b"a few words")
        shown = show_model.sync(model, client=client)
        assert isinstance(shown, Model), shown
        assert shown.id == model
        batch = submit_batch.sync(client=client, body=Batch([BatchOrder.from_dict(order.to_dict())] * 2))
        assert isinstance(batch, TaskBatch), batch
        page = list_tasks.sync(client=client, status=[TaskStatus.SUCCEEDED], limit=1)
        assert isinstance(page, TaskPage), page
        assert len(page.data) == 1
        refused = submit_task.sync(client=client, body=Order(model="nobody/nothing", input_=OrderInput()))
        assert isinstance(refused, Problem)
        assert refused.code == "unknown_model"
    print(f"{task.id} {output.media_type} {output.bytes_} bytes at {output.url}")


if __name__ == "__main__":
    main(*sys.argv[1:])
