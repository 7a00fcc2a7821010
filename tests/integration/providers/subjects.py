"""The engines of all adapters that talk to vendors, good answers of each of their phases, and what has to hold."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from genpulse.provider import (
    Charged,
    Progress,
    Provider,
    ProviderError,
    ProviderSettings,
    ProviderUnreachable,
    QuestionRefused,
    Submission,
    UnknownOutcome,
)
from genpulse.provider.http import AnswerLost
from genpulse.provider.passthrough import FreeInput
from genpulse.providers import comfyui, fal, openai_compatible, replicate
from genpulse.providers.comfyui.workflow import AnyWorkflow
from genpulse.providers.openai_compatible.inputs import ImageInput, SpeechInput, VideoInput
from tests.integration.providers.scripted import TASK, Asked, Told, call_of, content_of, engine_of, job_of

PROMPT = str(UUID(TASK.hex))
B64 = "iVBORw0KGgo="
OPEN = frozenset({408, 409, 423, 425})
"""Refusals that prove nothing."""


@dataclass(frozen=True)
class Subject:
    """An engine, and good answers of each of its phases. `<base>` in its job's id is where the vendor is."""

    name: str
    build: Callable[[ProviderSettings], Provider]
    model: str
    wanted: Any
    phases: dict[str, tuple[Any, ...]]
    job_id: str = "j"
    costs: bool = True

    async def ask(self, plug_in: Provider, phase: str, base_url: str) -> Any:
        """What a phase gives or raises. Whatever is not declared passes through."""
        job = job_of(self.job_id.replace("<base>", base_url), self.wanted)
        try:
            given = call_of(self.wanted) if phase in {"submit", "generate", "find"} else job
            found = await getattr(engine_of(plug_in, self.model), phase)(given)
            for output in getattr(found, "outputs", ()):
                await _read(output)
        except (ProviderError, AnswerLost) as error:
            return error
        return found

    def check(self, phase: str, found: Any, told: Told, asked: list[Asked]) -> None:
        """What has to hold, whatever was told."""
        if phase in {"submit", "generate"}:
            _check_order(self, found, told, asked)
        elif phase == "poll":
            _check_poll(self, found)
        elif isinstance(found, ProviderError) and not isinstance(found, QuestionRefused):
            assert not found.retryable, found
            assert found.charged is not Charged.NO or not self.costs, found


async def _read(output: Any) -> None:
    try:
        await content_of(output)
    except (ProviderError, AnswerLost):
        assert not isinstance(output.content, bytes)


def _check_order(subject: Subject, found: Any, told: Told, asked: list[Asked]) -> None:
    orders = [one for one in asked if one.method == "POST" and one.path not in {"/queue", "/interrupt"}]
    assert len(orders) <= 1
    if isinstance(found, ProviderError) and subject.costs and not isinstance(found, UnknownOutcome):
        proved = 400 <= told.status < 500 and told.status not in OPEN
        assert (found.charged is Charged.NO) is proved, found
        assert proved or not found.retryable, found
    if isinstance(found, Submission):
        assert found.job_id.strip()


def _check_poll(subject: Subject, found: Any) -> None:
    if not isinstance(found, Progress):
        assert isinstance(found, QuestionRefused | ProviderUnreachable | AnswerLost), found
        return
    assert found.fraction is None or 0.0 <= found.fraction <= 1.0
    assert found.wait_s is None or 0.0 <= found.wait_s <= 60.0
    assert found.message is None or isinstance(found.message, str)
    if found.failed is not None and subject.costs:
        aborted = subject.name == "replicate" and "aborted" in found.failed.message
        assert aborted or found.failed.charged is not Charged.NO


def hub(base: ProviderSettings) -> Provider:
    models = {"flux": "image", "gpt": "background", "kokoro": "speech", "wan": "video"}
    return openai_compatible.provider(ProviderSettings(base.api_key, base.base_url, {}, base.http, models, "hub"))


def _job(job_id: str, **more: Any) -> dict[str, Any]:
    return {"id": job_id, **more}


ERROR = {"message": "no", "code": "c", "type": "t", "param": "p", "innererror": {"code": "d"}}
PROBLEM = {"loc": ["body", "prompt"], "msg": "no", "type": "content_policy_violation"}
URL = "https://127.0.0.1/x"
RUNNING = {"queue_running": [[1, "a"], [2, PROMPT, {}, {}, []]], "queue_pending": [[4, "b"], [3, "c"]]}
PENDING = {"queue_running": [[1, "a"]], "queue_pending": [[3, PROMPT], [2, "b"]]}
ENDED = {
    "outputs": {"4": {"images": [{"filename": "a.png", "subfolder": "", "type": "output"}], "text": ["a fox"]}},
    "status": {"status_str": "success", "completed": True, "messages": [["execution_start", {"prompt_id": "p"}]]},
}
BROKEN = {
    "outputs": {},
    "status": {
        "status_str": "error",
        "messages": [["execution_error", {"node_id": "1", "node_type": "A", "exception_message": "m"}]],
    },
}
SUBJECTS = (
    Subject(
        "fal",
        fal.provider,
        "fal-ai/flux/dev",
        FreeInput.model_validate({"prompt": "x"}),
        {
            "submit": ({"request_id": "r", "status": "IN_QUEUE"}, {"detail": [PROBLEM]}, {"error": ERROR}),
            "poll": (
                {"status": "IN_PROGRESS", "queue_position": 3, "logs": [{"message": "step 1"}]},
                {"status": "FAILED", "error": "no", "error_type": "t"},
                {"status": "FAILED", "error": [PROBLEM]},
            ),
            "collect": (
                {"images": [{"url": URL}, {"url": URL}], "has_nsfw_concepts": [True, False]},
                {"error": ERROR},
                {"detail": [PROBLEM], "error_type": "t"},
            ),
            "cancel": ({"status": "CANCELLATION_REQUESTED"},),
        },
    ),
    Subject(
        "replicate",
        replicate.provider,
        "acme/flux",
        FreeInput.model_validate({"prompt": "x"}),
        {
            "submit": (_job("p", status="starting", urls={"get": "u"}), {"title": "t", "detail": "d"}),
            "poll": (
                _job("p", status="processing", logs=" 40%|##| 4/10", output=None),
                _job("p", status="failed", error="no"),
                _job("p", status="aborted", error={"message": "no"}),
            ),
            "collect": (
                {"status": "succeeded", "output": [URL, "data:image/png;base64,aGk="], "data_removed": False},
                {"output": {"error": ERROR}},
                {"output": {"has_nsfw_concepts": [True], "words": ["a ", "fox"]}},
            ),
            "cancel": ({"status": "canceled"},),
        },
    ),
    Subject(
        "images",
        hub,
        "flux",
        ImageInput(prompt="x"),
        {
            "generate": (
                {"data": [{"b64_json": B64}, {"url": URL}, {"error": ERROR}], "nsfw": [True]},
                {"error": ERROR, "data": [{"b64_json": B64}]},
                {"error": ERROR},
                {"object": "error", "message": "no", "code": 7, "errors": [ERROR]},
            )
        },
    ),
    Subject("speech", hub, "kokoro", SpeechInput(text="x"), {"generate": ({"error": ERROR},)}),
    Subject(
        "videos",
        hub,
        "wan",
        VideoInput(prompt="x"),
        {
            "submit": (_job("v", status="queued", error=None), {"error": ERROR}),
            "poll": (
                _job("j", status="in_progress", progress=40),
                _job("j", status="failed", error=ERROR),
                {"error": ERROR},
            ),
            "collect": ({"error": ERROR},),
            "cancel": (_job("j", deleted=True), {"error": ERROR}),
        },
    ),
    Subject(
        "background",
        hub,
        "gpt",
        ImageInput(prompt="x"),
        {
            "submit": (_job("r", status="queued"),),
            "poll": (_job("j", status="incomplete", incomplete_details={"reason": "content_filter"}),),
            "collect": (
                {"status": "completed", "output": [{"type": "image_generation_call", "result": B64}]},
                {"output": [{"type": "message", "content": [{"type": "refusal", "refusal": "no"}]}]},
                {"error": ERROR},
            ),
            "cancel": (_job("j"),),
        },
    ),
    Subject(
        "comfyui",
        comfyui.provider,
        "workflow",
        AnyWorkflow(workflow={"1": {"class_type": "SaveImage", "inputs": {"filename_prefix": "x"}}}),
        {
            "submit": (
                {"prompt_id": PROMPT, "node_errors": {}, **RUNNING},
                {
                    "prompt_id": PROMPT,
                    "error": ERROR,
                    "node_errors": {"1": {"class_type": "A", "errors": [ERROR]}},
                },
            ),
            "poll": ({PROMPT: ENDED}, {PROMPT: BROKEN}, RUNNING, PENDING),
            "collect": ({PROMPT: ENDED},),
            "find": ({PROMPT: ENDED}, RUNNING, PENDING),
            "cancel": (RUNNING, PENDING),
        },
        job_id=f"<base>|{PROMPT}",
        costs=False,
    ),
)
