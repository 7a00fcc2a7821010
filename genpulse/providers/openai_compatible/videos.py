"""Videos: jobs that are polled. OpenAI itself has none any more; servers that speak like it have."""

import re
from collections.abc import Mapping
from dataclasses import replace

from genpulse.provider import Call, Job, Output, Progress, Result, Submission, TwoPhase
from genpulse.provider.account import Account
from genpulse.provider.job_id import in_path
from genpulse.provider.status_words import StatusWords
from genpulse.providers.openai_compatible.files import part_of
from genpulse.providers.openai_compatible.forms import fields_of
from genpulse.providers.openai_compatible.inputs import VideoInput
from genpulse.providers.openai_compatible.refusals import Refusals
from genpulse.providers.openai_compatible.standing import WORDS, progress_of

_LONGEST_WAIT_S = 60.0


class Videos(TwoPhase[VideoInput]):
    """`/videos`. No reference of ours is taken: a lost answer stays unknown."""

    can_cancel = True

    def __init__(self, account: Account, refusals: Refusals, model: str, words: StatusWords = WORDS) -> None:
        self._account = account
        self._refusals = refusals
        self._model = model
        self._words = words

    async def submit(self, call: Call[VideoInput]) -> Submission:
        """A form, even without a file: so the official client sends it."""
        input_ = call.input
        fields = {"model": self._model, "prompt": input_.prompt, "seconds": input_.seconds, "size": input_.size}
        files = [await part_of(call, "input_reference", input_.image)] if input_.image else []
        form = (*fields_of({**fields, **input_.extra}), *files)
        reply = await self._account.order("/videos", form=form)
        return Submission(self._refusals.job_id_in(reply))

    async def poll(self, job: Job[VideoInput]) -> Progress:
        """Poll the video, and read when the server wants to be asked again."""
        reply = await self._account.ask("GET", _path(job))
        progress = progress_of(reply.document(), job.id, self._words, self._refusals)
        return replace(progress, wait_s=_wait_s(reply.headers))

    async def collect(self, job: Job[VideoInput]) -> Result:
        """The file, from the server itself or from where it redirects."""
        return Result((Output(self._account.fetch_own(_path(job, "/content"))),))

    async def cancel(self, job: Job[VideoInput]) -> None:
        """There is no other call: what runs is stopped by being deleted."""
        self._refusals.look_for(await self._account.ask("DELETE", _path(job)))


def _path(job: Job[VideoInput], what: str = "") -> str:
    return f"/videos/{in_path(job.id)}{what}"


def _wait_s(headers: Mapping[str, str]) -> float | None:
    text = headers.get("openai-poll-after-ms", "")
    return min(int(text) / 1000, _LONGEST_WAIT_S) if re.fullmatch(r"[0-9]{1,9}", text) else None
