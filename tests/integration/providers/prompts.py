"""A ComfyUI that answers well but for what a test wants otherwise."""

from typing import Any
from uuid import UUID

from genpulse.providers.comfyui.workflow import AnyWorkflow
from genpulse.testing.server import PNG
from tests.integration.providers.scripted import (
    TASK,
    Asked,
    Scripted,
    Told,
    job_of,
)

GRAPH = {"1": {"class_type": "SaveImage", "inputs": {"filename_prefix": "x"}}}
WANTED = AnyWorkflow(workflow=GRAPH)
PROMPT = str(UUID(TASK.hex))
GOOD = {"images": [{"filename": "good.png", "subfolder": "a b", "type": "output"}]}


class ComfyUI(Scripted):
    """Answers everything well; `told` replaces the answer of a path, `entry` is what the history holds."""

    def __init__(self) -> None:
        super().__init__()
        self.told: dict[str, Told] = {}
        self.entry: Any = {"outputs": {"4": GOOD}, "status": {"status_str": "success", "completed": True}}
        self.queue: Any = {"queue_running": [], "queue_pending": []}
        self.answer = self._answer

    def _answer(self, asked: Asked) -> Told:
        place = asked.path.partition("?")[0]
        if found := self.told.get(f"{asked.method} {place}") or self.told.get(place):
            return found
        if place.startswith("/history/"):
            return Told({} if self.entry is None else {place.rpartition("/")[2]: self.entry})
        answers = {"/queue": self.queue, "/prompt": {"prompt_id": PROMPT, "number": 1, "node_errors": {}}}
        return Told(PNG) if place == "/view" else Told(answers.get(place, {}))

    @property
    def job(self) -> Any:
        return job_of(f"{self.base_url}|{PROMPT}", WANTED)
