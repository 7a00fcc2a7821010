"""A prediction at Replicate.

Paths, status words and bodies: read in the source of the `replicate` packages 1.0.7 and 2.0.0b4 (certain).
Predictions carry no reference of ours, and a list without one cannot be matched safely: a lost answer stays
unknown.
"""

import re
from dataclasses import replace

from genpulse.domain.json.value import JsonObject, JsonValue
from genpulse.domain.money.pricing.billed_input import count_of
from genpulse.provider import (
    Call,
    Callback,
    Charged,
    Job,
    OutputUnavailable,
    Progress,
    ProviderUnavailable,
    ReportedUsage,
    Result,
    Submission,
    TwoPhase,
)
from genpulse.provider.account import Account
from genpulse.provider.http import AnswerUnusable, Part
from genpulse.provider.inputs.file_name import file_name
from genpulse.provider.job_id import in_path
from genpulse.provider.passthrough import FreeInput, IsFile, result_of, with_files
from genpulse.provider.reported import ordered_as, without_status
from genpulse.provider.status_words import FIELD, Standing, shown
from genpulse.providers.replicate.files import FileRule
from genpulse.providers.replicate.notices import Verifier
from genpulse.providers.replicate.output_schema import OutputSchemas
from genpulse.providers.replicate.refusals import failure_of

WORDS = FIELD
"""`starting`, `processing`, `succeeded`, `failed`, `canceled` and `aborted` are Replicate's own."""
_TQDM = re.compile(r"^\s*(\d{1,3})%\s*\|", re.MULTILINE)


class Predictions(TwoPhase[FreeInput]):
    """One model, or one version of it. `path` is `owner/name`."""

    can_cancel = True

    def __init__(
        self, account: Account, verifier: Verifier, schemas: OutputSchemas, path: str, version: str | None
    ) -> None:
        self._account = account
        self._verifier = verifier
        self._schemas = schemas
        self._path = path
        self._version = version

    async def submit(self, call: Call[FreeInput]) -> Submission:
        """Create the prediction."""
        document = await with_files(
            call.input.document(), lambda reference: self._upload(call, reference), call.attachments.keeps
        )
        body: dict[str, JsonValue] = {"input": document}
        if self._version:
            body["version"] = self._version
        if call.callback_url:
            body |= {"webhook": call.callback_url, "webhook_events_filter": ["completed"]}
        where = "/v1/predictions" if self._version else f"/v1/models/{self._path}/predictions"
        reply = await self._account.order(where, json=body)
        return Submission(ordered_as(reply, "id"))

    async def poll(self, job: Job[FreeInput]) -> Progress:
        """Poll the prediction. Progress is read from the bars that models print into their logs."""
        prediction = await self._ask(job)
        word = prediction.get("status")
        standing = WORDS.standing(word)
        if standing is Standing.DONE:
            return Progress(1.0, done=True)
        if standing.is_lost:
            return Progress(failed=failure_of(prediction, standing))
        if word is None:
            raise without_status(prediction)
        fraction, status = _fraction(prediction.get("logs")), shown(word)
        return Progress(fraction, status, odd=status if standing is Standing.ODD else None)

    async def collect(self, job: Job[FreeInput]) -> Result:
        """Every file of the output, from wherever the prediction says that it is."""
        prediction = await self._ask(job)
        if WORDS.standing(prediction.get("status")) is Standing.RUNNING:
            raise AnswerUnusable("Replicate says that the prediction goes on, after it said that it is done.")
        if prediction.get("data_removed") is True:
            raise OutputUnavailable("Replicate has removed the output of the prediction.", charged=Charged.YES)
        try:
            is_file = await self._file_rule(job, prediction)
            result = result_of(prediction.get("output"), self._account.fetch_public, is_file)
        except OutputUnavailable as empty:
            if prediction.get("error"):
                raise failure_of(prediction, Standing.FAILED) from empty
            raise
        return replace(result, usage=usage_in(prediction))

    async def _file_rule(self, job: Job[FreeInput], prediction: JsonObject) -> IsFile:
        rule = FileRule(self._account.serves, job.call.input.document(), prediction.get("input"))
        if rule.is_open(prediction.get("output")):
            schema = await self._schemas.of(self._path, self._version)
            if schema is not None:
                return rule.with_schema(schema)
        return rule.without_schema()

    async def cancel(self, job: Job[FreeInput]) -> None:
        """Ask for the end of the prediction."""
        await self._account.ask("POST", f"{_path(job)}/cancel")

    async def is_authentic(self, callback: Callback) -> bool:
        """Replicate signs as Standard Webhooks says."""
        return await self._verifier.accepts(callback)

    async def _ask(self, job: Job[FreeInput]) -> JsonObject:
        return (await self._account.ask("GET", _path(job))).document()

    async def _upload(self, call: Call[FreeInput], reference: str) -> str:
        """Upload a file of the input, and return its URL at Replicate."""
        file = await call.attachments.fetch(reference)
        part = Part("content", file.path, file_name(reference, file), file.media_type)
        uploaded = await self._account.upload("/v1/files", (part,))
        try:
            urls = uploaded.document().get("urls")
        except AnswerUnusable as error:
            raise ProviderUnavailable(f"Replicate does not say where it keeps a file: {error}") from error
        url = urls.get("get") if isinstance(urls, dict) else None
        if not isinstance(url, str) or not url:
            raise ProviderUnavailable(f"Replicate does not say where it keeps a file: {uploaded.excerpt()}")
        return url


def _path(job: Job[FreeInput]) -> str:
    return f"/v1/predictions/{in_path(job.id)}"


def usage_in(prediction: JsonObject) -> ReportedUsage | None:
    """What Replicate counted: seconds on its machine."""
    metrics = prediction.get("metrics")
    seconds = count_of(metrics.get("predict_time")) if isinstance(metrics, dict) else None
    return None if seconds is None else ReportedUsage(gpu_seconds=seconds)


def _fraction(logs: JsonValue) -> float | None:
    percentages = _TQDM.findall(logs[-4000:]) if isinstance(logs, str) else []
    return min(int(percentages[-1]) / 100, 1.0) if percentages else None
