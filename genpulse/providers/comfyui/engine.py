"""A prompt at ComfyUI.

Its id is ours, made from the reference of the attempt: so a lost answer is looked up in the history and the queue.
The server takes the same id twice without a word, and forgets its history when it is started again. Running a
workflow costs nobody money here, so that a prompt of which no trace is left is run again.
"""

import base64
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from pydantic import BaseModel, JsonValue

from genpulse.provider import (
    Call,
    InvalidInput,
    Job,
    Output,
    OutputUnavailable,
    PollInterval,
    Progress,
    ProviderError,
    ProviderRejected,
    ProviderUnavailable,
    Result,
    Submission,
    TwoPhase,
)
from genpulse.providers.comfyui.servers import Servers, node_errors, queue_of
from genpulse.providers.comfyui.workflow import AnyWorkflow, Graph, Socket, Workflow, checked, filled, titled
from genpulse.vendor import Account
from genpulse.wire import AnswerLost, Part

_SENDS = "SaveImageWebsocket"
_TEXTS = frozenset({"text", "string"})


class Prompts(TwoPhase[BaseModel]):
    """One registered workflow, or whatever the caller brings."""

    can_cancel = True
    can_find = True
    poll_interval = PollInterval(0.5, 1.3, 5.0)

    def __init__(self, servers: Servers, workflow: Workflow | None = None) -> None:
        self._servers = servers
        self._workflow = workflow

    async def submit(self, call: Call[BaseModel]) -> Submission:
        """Bring the pictures to the least busy server, then the prompt."""
        graph, sockets, values = self._wanted(call)
        url = await self._servers.least_busy()
        account, prompt_id = self._servers.account(url), _prompt_id(call)
        kinds = {socket.name: socket.kind for socket in sockets}
        brought = {
            name: await self._brought(call, account, kinds.get(name, ""), value) for name, value in values.items()
        }
        graph = filled(graph, sockets, brought)
        sends = [node_id for node_id, node in graph.items() if node["class_type"] == _SENDS]
        await self._servers.watcher(url).expect(prompt_id, len(graph), sends)
        body: dict[str, JsonValue] = {
            "prompt": graph,
            "client_id": self._servers.client_id,
            "prompt_id": prompt_id,
        }
        answer = (await account.order("/prompt", json=body)).document()
        if wrong := answer.get("node_errors"):
            await _stop(account, prompt_id)
            raise InvalidInput(f"ComfyUI takes only a part of the workflow: {node_errors(wrong)}")
        if answer.get("prompt_id") != prompt_id:
            raise AnswerLost(f"ComfyUI gave the prompt another id: {answer.get('prompt_id')!r}")
        return Submission(f"{url}|{prompt_id}")

    def _wanted(self, call: Call[BaseModel]) -> tuple[Graph, tuple[Socket, ...], Mapping[str, JsonValue]]:
        if self._workflow is not None:
            return self._workflow.graph, self._workflow.sockets, call.input.model_dump(mode="json")
        if not isinstance(call.input, AnyWorkflow):
            raise InvalidInput("A workflow is needed.")
        graph = checked(call.input.workflow)
        return graph, titled(graph), call.input.inputs

    async def _brought(self, call: Call[BaseModel], account: Account, kind: str, value: JsonValue) -> JsonValue:
        """The name under which the server has a picture; other values stay as they are."""
        if kind != "image" or not isinstance(value, str):
            return value
        part = await _part(call, account, value)
        form = (
            part,
            Part("type", "input"),
            Part("subfolder", f"genpulse/{call.task_id.hex}"),
            Part("overwrite", "true"),
        )
        kept = (await account.upload("/upload/image", form)).document()
        return f"{kept.get('subfolder')}/{kept.get('name')}" if kept.get("subfolder") else str(kept.get("name"))

    async def find(self, call: Call[BaseModel]) -> Submission | None:
        """Look for the prompt at every server, in its history and its queue."""
        prompt_id = _prompt_id(call)
        for url in self._servers.urls:
            account = self._servers.account(url)
            running, pending = await queue_of(account)
            if prompt_id in running or prompt_id in pending or await _history(account, prompt_id):
                return Submission(f"{url}|{prompt_id}")
        return None

    async def poll(self, job: Job[BaseModel]) -> Progress:
        """The history first: what is in it has ended. Then the queue."""
        url, prompt_id = _place(job.id)
        account = self._servers.account(url)
        entry = await _history(account, prompt_id)
        if entry is None:
            running, pending = await queue_of(account)
            if prompt_id in running:
                return Progress(self._servers.watcher(url).fraction(prompt_id))
            if prompt_id in pending:
                return Progress(message=f"{pending.index(prompt_id) + len(running)} before it in ComfyUI's queue")
            entry = await _history(account, prompt_id)
        if entry is None:
            return Progress(
                failed=ProviderUnavailable("ComfyUI knows nothing of the prompt any more: it was started anew.")
            )
        failure = _failure(entry)
        return Progress(failed=failure) if failure else Progress(1.0, done=True)

    async def collect(self, job: Job[BaseModel]) -> Result:
        """Every file that the history names; previews only when there is nothing else."""
        url, prompt_id = _place(job.id)
        account, watcher = self._servers.account(url), self._servers.watcher(url)
        entry = await _history(account, prompt_id) or {}
        outputs = list(self._outputs(account, entry.get("outputs") or {}))
        outputs = outputs or [Output(frame) for frame in watcher.frames(prompt_id)]
        if not outputs:
            raise OutputUnavailable("ComfyUI has run the workflow, and it has made no file.")
        watcher.forget(prompt_id)
        return Result(tuple(outputs))

    def _outputs(self, account: Account, found: Mapping[str, Any]) -> Iterator[Output]:
        wanted = self._workflow.outputs if self._workflow else ()
        nodes = [node for node_id, node in found.items() if not wanted or node_id in wanted]
        files = [file for node in nodes for file in _files(node)]
        kept = [file for file in files if file.get("type") != "temp"] or files
        for file in kept:
            names = {name: str(file.get(name, "")) for name in ("filename", "subfolder", "type")}
            yield Output(account.fetch_own("/view", query=names))
        for node in nodes:
            for name in _TEXTS & set(node):
                yield from (Output(str(text).encode()) for text in node[name] if str(text).strip())

    async def cancel(self, job: Job[BaseModel]) -> None:
        """By its id alone: nobody else's prompt is touched."""
        url, prompt_id = _place(job.id)
        await _stop(self._servers.account(url), prompt_id)
        self._servers.watcher(url).forget(prompt_id)


def _prompt_id(call: Call[BaseModel]) -> str:
    return str(UUID(call.client_reference.rpartition("-")[2]))


def _place(job_id: str) -> tuple[str, str]:
    url, _, prompt_id = job_id.rpartition("|")
    return url, prompt_id


async def _part(call: Call[BaseModel], account: Account, reference: str) -> Part:
    if reference.startswith("asset:"):
        file = await call.attachments.fetch(reference)
        return Part("image", file.path, f"{reference[6:]}.png", file.media_type)
    if reference.startswith("data:"):
        try:
            content = base64.b64decode(reference.partition(",")[2], validate=True)
        except ValueError as error:
            raise InvalidInput("A data: URI of the input is not base64.") from error
        return Part("image", content, "image.png", "image/png")
    if reference.startswith("https://"):
        return Part("image", await account.fetch_input(reference), "image.png", "image/png")
    raise InvalidInput(f"{reference[:100]!r} is no picture; it has to be asset:<id>, an https URL or a data: URI.")


async def _history(account: Account, prompt_id: str) -> Mapping[str, Any] | None:
    entry = (await account.ask("GET", f"/history/{prompt_id}")).document().get(prompt_id)
    return entry if isinstance(entry, dict) else None


async def _stop(account: Account, prompt_id: str) -> None:
    """Out of the queue; and where it runs already, at the next node."""
    await account.ask("POST", "/queue", json={"delete": [prompt_id]})
    running, _ = await queue_of(account)
    if prompt_id in running:
        await account.ask("POST", "/interrupt", json={"prompt_id": prompt_id})


def _failure(entry: Mapping[str, Any]) -> ProviderError | None:
    status = entry.get("status") or {}
    if status.get("status_str") != "error":
        return None
    told = {message[0]: message[1] for message in status.get("messages", []) if len(message) > 1}
    if "execution_interrupted" in told:
        return ProviderRejected("Somebody has interrupted the prompt at ComfyUI.")
    error = told.get("execution_error", {})
    words = f"node {error.get('node_id')} ({error.get('node_type')}): {error.get('exception_message', '')}".strip()
    if "OutOfMemory" in str(error.get("exception_type")):
        # What else runs there may have taken the memory: later there may be more.
        return ProviderUnavailable(f"ComfyUI has run out of memory: {words}")
    return ProviderRejected(f"The workflow failed: {words}")


def _files(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for entries in node.values():
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry, dict) and entry.get("filename"):
                yield entry
