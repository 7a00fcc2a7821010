"""A prediction at Replicate.

Paths, status words and bodies: read in the source of the `replicate` packages 1.0.7 and 2.0.0b4 (certain). That an
aborted prediction is not charged: Replicate's changelog of 2025-10-16. That moderation is told in the words of
`error`: seen with single models (unsure), so that it is recognised by those words. Predictions carry no reference
of ours, and a list without one cannot be matched safely: a lost answer stays unknown.
"""

import logging
import re

from genpulse.domain.json_value import JsonValue
from genpulse.freeform import FreeInput, outputs_of, with_files
from genpulse.provider import (
    Call,
    Charged,
    Job,
    ModerationBlocked,
    Notice,
    Progress,
    ProviderError,
    ProviderRejected,
    ProviderUnavailable,
    Result,
    Submission,
    TwoPhase,
)
from genpulse.providers.replicate.notices import Verifier
from genpulse.vendor import Account
from genpulse.wire import AnswerLost, Part

_MODERATION = re.compile(r"nsfw|moderat|safety|flagged|sensitive|content policy|E005", re.IGNORECASE)
_TQDM = re.compile(r"^\s*(\d{1,3})%\s*\|", re.MULTILINE)
_GOING_ON = frozenset({"starting", "processing", "queued"})

_log = logging.getLogger(__name__)


class Predictions(TwoPhase[FreeInput]):
    """One model, or one version of it. `path` is `owner/name`."""

    can_cancel = True

    def __init__(self, account: Account, verifier: Verifier, path: str, version: str | None) -> None:
        self._account = account
        self._verifier = verifier
        self._path = path
        self._version = version

    async def submit(self, call: Call[FreeInput]) -> Submission:
        """Create the prediction."""
        wanted = await with_files(call.input.document(), lambda reference: self._upload(call, reference))
        body: dict[str, JsonValue] = {"input": wanted}
        if self._version:
            body["version"] = self._version
        if call.callback_url:
            body |= {"webhook": call.callback_url, "webhook_events_filter": ["completed"]}
        where = "/v1/predictions" if self._version else f"/v1/models/{self._path}/predictions"
        prediction = (await self._account.order(where, json=body)).document()
        return Submission(_text(prediction.get("id")))

    async def poll(self, job: Job[FreeInput]) -> Progress:
        """Where it stands. Progress is read from the bars that models print into their logs."""
        prediction = (await self._account.ask("GET", f"/v1/predictions/{job.id}")).document()
        match prediction.get("status"):
            case "succeeded":
                return Progress(1.0, done=True)
            case "failed" | "canceled" | "aborted" as word:
                return Progress(failed=_failure(word, str(prediction.get("error") or "")))
            case word:
                if word not in _GOING_ON:
                    _log.warning("Replicate says %r about a prediction, which is taken for going on", word)
                return Progress(_fraction(str(prediction.get("logs") or "")), str(word))

    async def collect(self, job: Job[FreeInput]) -> Result:
        """Every file of the output, from wherever the prediction says that it is."""
        prediction = (await self._account.ask("GET", f"/v1/predictions/{job.id}")).document()
        return Result(outputs_of(prediction.get("output"), self._account.fetch_public))

    async def cancel(self, job: Job[FreeInput]) -> None:
        """Ask for the end of the prediction."""
        await self._account.ask("POST", f"/v1/predictions/{job.id}/cancel")

    async def heeds(self, notice: Notice) -> bool:
        """Replicate signs as Standard Webhooks says."""
        return await self._verifier.accepts(notice)

    async def _upload(self, call: Call[FreeInput], reference: str) -> str:
        file = await call.attachments.fetch(reference)
        part = Part("content", file.path, f"{reference.rpartition(':')[2]}", file.media_type)
        uploaded = (await self._account.upload("/v1/files", (part,))).document()
        urls = uploaded.get("urls")
        return _text(urls.get("get") if isinstance(urls, dict) else None)


def _text(value: JsonValue) -> str:
    if not isinstance(value, str) or not value:
        raise AnswerLost(f"Replicate's answer lacks what it should name: {value!r}.")
    return value


def _failure(word: str, said: str) -> ProviderError:
    if word == "aborted":
        return ProviderUnavailable("Replicate has aborted the prediction before it ran.")
    if word == "canceled":
        return ProviderRejected("Somebody has canceled the prediction at Replicate.", charged=Charged.MAYBE)
    if _MODERATION.search(said):
        return ModerationBlocked(f"The model refused: {said}", charged=Charged.MAYBE)
    return ProviderRejected(f"The model failed: {said or 'it does not say why'}", charged=Charged.MAYBE)


def _fraction(logs: str) -> float | None:
    found = _TQDM.findall(logs[-4000:])
    return min(int(found[-1]) / 100, 1.0) if found else None
