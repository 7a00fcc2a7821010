"""A prompt at ComfyUI.

Its id is ours, made from the reference of the attempt: so a lost answer is looked up in the history and the queue.
The server takes the same id twice without a word, and forgets its history when it is started again. Running a
workflow costs nobody money here, so that a prompt of which no trace is left is run again.
"""

import logging
from collections.abc import Mapping
from uuid import UUID

from pydantic import BaseModel, JsonValue

from genpulse.domain.json.value import JsonObject
from genpulse.provider import (
    Call,
    Charged,
    FailureCode,
    InvalidInput,
    Job,
    Output,
    OutputUnavailable,
    PollInterval,
    Progress,
    ProviderError,
    ProviderUnavailable,
    QuestionRefused,
    Result,
    Submission,
    TwoPhase,
)
from genpulse.provider.account import Account
from genpulse.provider.http import AnswerLost, AnswerUnusable
from genpulse.provider.job_id import in_path, taken_as
from genpulse.providers.comfyui.history import answer_of, failure_of, files_of, texts_of
from genpulse.providers.comfyui.nodes import Nodes
from genpulse.providers.comfyui.pictures import brought
from genpulse.providers.comfyui.refusals import node_errors, text_of, words_of
from genpulse.providers.comfyui.seeds import drawn_seed
from genpulse.providers.comfyui.servers import Servers, queue_of
from genpulse.providers.comfyui.workflow import AnyWorkflow, Graph, Socket, Workflow, checked, filled, titled

_SENDS = "SaveImageWebsocket"

_log = logging.getLogger(__name__)


class Prompts(TwoPhase[BaseModel]):
    """One registered workflow, or whatever the caller brings."""

    can_cancel = True
    can_find = True
    poll_interval = PollInterval(0.5, 1.3, 5.0)

    def __init__(self, servers: Servers, workflow: Workflow | None = None, nodes: Nodes | None = None) -> None:
        self._servers = servers
        self._workflow = workflow
        self._nodes = nodes

    async def submit(self, call: Call[BaseModel]) -> Submission:
        """Bring the pictures to the least busy server, then the prompt."""
        graph, sockets, values = self._wanted(call)
        url = await self._servers.least_busy()
        account, prompt_id = self._servers.account(url), _prompt_id(call)
        images = {socket.name for socket in sockets if socket.kind == "image"}
        socket_values = {
            name: await brought(call, account, value) if name in images and isinstance(value, str) else value
            for name, value in values.items()
        }
        graph = filled(graph, sockets, socket_values)
        await self._listen(url, prompt_id, graph)
        body: JsonObject = {"prompt": graph, "client_id": self._servers.client_id, "prompt_id": prompt_id}
        reply = await account.order("/prompt", json=body)
        await _check_whole(account, prompt_id, reply.document())
        job_id = taken_as(reply.document().get("prompt_id"), reply.excerpt())
        # A server that is older than ids of a client's own gives it another one.
        if job_id != prompt_id and not await _has(account, job_id):
            raise AnswerUnusable(f"ComfyUI gave the prompt another id, which it does not know: {job_id[:100]!r}")
        return Submission(f"{url}|{job_id}")

    async def _listen(self, url: str, prompt_id: str, graph: Graph) -> None:
        sends = [node_id for node_id, node in graph.items() if node["class_type"] == _SENDS]
        await self._servers.watcher(url).expect(prompt_id, len(graph), sends)

    def _wanted(self, call: Call[BaseModel]) -> tuple[Graph, tuple[Socket, ...], Mapping[str, JsonValue]]:
        if self._workflow is not None:
            sockets = self._workflow.sockets
            given = call.input.model_dump(mode="json")
            seeds = {one.name: drawn_seed(one, call.task_id) for one in sockets if _is_drawn(one, given)}
            return self._workflow.graph, sockets, given | seeds
        if not isinstance(call.input, AnyWorkflow):
            raise InvalidInput("A workflow is needed.")
        graph = checked(call.input.workflow)
        return graph, titled(graph, self._nodes), call.input.inputs

    async def find(self, call: Call[BaseModel]) -> Submission | None:
        """Look for the prompt at every server, in its history and its queue.

        Raises what one of them could not be asked for, where no other one has it: it may be there.
        """
        prompt_id, errors = _prompt_id(call), []
        for url in self._servers.urls:
            try:
                if await _has(self._servers.account(url), prompt_id):
                    return Submission(f"{url}|{prompt_id}")
            except (ProviderError, AnswerLost) as error:
                errors.append(error)
        if errors:
            raise errors[0]
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
        failure = failure_of(entry)
        return Progress(failed=failure) if failure else Progress(1.0, done=True)

    async def collect(self, job: Job[BaseModel]) -> Result:
        """Every file and text that the history names; previews only when there is nothing else."""
        url, prompt_id = _place(job.id)
        account, watcher = self._servers.account(url), self._servers.watcher(url)
        entry = await _history(account, prompt_id)
        if entry is None:
            raise QuestionRefused(
                "ComfyUI knows nothing of the prompt any more.",
                because=FailureCode.PROVIDER_REJECTED,
                missing=True,
            )
        nodes = self._workflow.outputs if self._workflow else ()
        named_files = files_of(entry, nodes)
        files = [Output(account.fetch_own(file.path)) for file in named_files]
        files = files or [Output(frame) for frame in watcher.frames(prompt_id)]
        texts = [Output(text.encode(errors="replace"), is_text=True) for text in texts_of(entry, nodes)]
        if not files and not texts:
            raise OutputUnavailable("ComfyUI has run the workflow, and it has made no file.", charged=Charged.NO)
        watcher.forget(prompt_id)
        return Result((*files, *texts), answer=answer_of(entry, nodes, named_files))

    async def cancel(self, job: Job[BaseModel]) -> None:
        """Cancel the prompt by its id, so that no other one is touched."""
        url, prompt_id = _place(job.id)
        await _stop(self._servers.account(url), prompt_id)
        self._servers.watcher(url).forget(prompt_id)


def _prompt_id(call: Call[BaseModel]) -> str:
    return str(UUID(call.client_reference.rpartition("-")[2]))


def _is_drawn(socket: Socket, values: Mapping[str, JsonValue]) -> bool:
    return socket.kind == "seed" and values.get(socket.name) is None


def _place(job_id: str) -> tuple[str, str]:
    url, _, prompt_id = job_id.partition("|")
    return url, prompt_id


async def _check_whole(account: Account, prompt_id: str, answer: JsonObject) -> None:
    """A prompt of which a part or all does not hold is stopped, and refused as a whole."""
    wrong = f"{words_of(answer)} {node_errors(answer.get('node_errors'))}".strip()
    if wrong:
        try:
            await _stop(account, text_of(answer.get("prompt_id")) or prompt_id)
        except (ProviderError, AnswerLost) as error:
            _log.warning("what ComfyUI has taken of the prompt %s goes on: %s", prompt_id, error)
        raise InvalidInput(f"ComfyUI takes only a part of the workflow: {wrong}")


async def _has(account: Account, prompt_id: str) -> bool:
    running, pending = await queue_of(account)
    return prompt_id in (*running, *pending) or await _history(account, prompt_id) is not None


async def _history(account: Account, prompt_id: str) -> JsonObject | None:
    """The history's entry of the prompt; None without one. Raises `AnswerUnusable` for what is no entry."""
    reply = await account.ask("GET", f"/history/{in_path(prompt_id)}")
    history = reply.document()
    if prompt_id not in history:
        return None
    entry = history[prompt_id]
    if not isinstance(entry, dict):
        raise AnswerUnusable(f"ComfyUI's history cannot be read: {reply.excerpt()}")
    return entry


async def _stop(account: Account, prompt_id: str) -> None:
    """Remove the prompt from the queue; one that runs already stops at its next node."""
    await account.ask("POST", "/queue", json={"delete": [prompt_id]})
    running, _ = await queue_of(account)
    if prompt_id in running:
        await account.ask("POST", "/interrupt", json={"prompt_id": prompt_id})
