"""Videos: jobs that are polled. OpenAI itself has none any more; servers that speak like it have."""

import logging

from genpulse.provider import Call, Job, Output, Progress, Result, Submission, TwoPhase
from genpulse.providers.openai_compatible.files import part_of
from genpulse.providers.openai_compatible.inputs import VideoInput
from genpulse.providers.openai_compatible.refusals import failed_job
from genpulse.vendor import Account
from genpulse.wire import AnswerLost, Part

_GOING_ON = frozenset({"queued", "in_progress"})

_log = logging.getLogger(__name__)


class Videos(TwoPhase[VideoInput]):
    """`/videos`. No reference of ours is taken: a lost answer stays unknown."""

    can_cancel = True

    def __init__(self, account: Account, model: str) -> None:
        self._account = account
        self._model = model

    async def submit(self, call: Call[VideoInput]) -> Submission:
        """A form, even without a file: so the official client sends it."""
        wanted = call.input
        fields = {"model": self._model, "prompt": wanted.prompt, "seconds": wanted.seconds, "size": wanted.size}
        texts = [Part(name, str(value)) for name, value in {**fields, **wanted.extra}.items() if value is not None]
        files = [await part_of(call, self._account, "input_reference", wanted.image)] if wanted.image else []
        answer = (await self._account.order("/videos", form=(*texts, *files))).document()
        if not isinstance(answer.get("id"), str):
            raise AnswerLost(f"The answer names no video: {str(answer)[:200]}")
        return Submission(str(answer["id"]))

    async def poll(self, job: Job[VideoInput]) -> Progress:
        """Where it stands, and when the server wants to be asked again."""
        reply = await self._account.ask("GET", f"/videos/{job.id}")
        video = reply.document()
        match video.get("status"):
            case "completed":
                return Progress(1.0, done=True)
            case "failed":
                return Progress(failed=failed_job(video.get("error")))
            case word:
                if word not in _GOING_ON:
                    _log.warning("the server says %r about a video, which is taken for going on", word)
                return Progress(_fraction(video.get("progress")), str(word), wait_s=_wait_s(reply.headers))

    async def collect(self, job: Job[VideoInput]) -> Result:
        """The file, from the server itself or from where it redirects."""
        return Result((Output(self._account.fetch_own(f"/videos/{job.id}/content")),))

    async def cancel(self, job: Job[VideoInput]) -> None:
        """There is no other call: what runs is stopped by being deleted."""
        await self._account.ask("DELETE", f"/videos/{job.id}")


def _fraction(progress: object) -> float | None:
    return min(max(progress / 100, 0.0), 1.0) if isinstance(progress, int | float) else None


def _wait_s(headers: "dict[str, str] | object") -> float | None:
    text = headers.get("openai-poll-after-ms", "") if isinstance(headers, dict) else ""
    return min(int(text) / 1000, 60.0) if text.isdigit() and text.isascii() else None
