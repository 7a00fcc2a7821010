"""Pictures: by one request, or as a response that is made in the background."""

from collections.abc import Mapping

from standardwebhooks import Webhook, WebhookVerificationError

from genpulse.domain.json_value import JsonValue
from genpulse.provider import (
    Call,
    Charged,
    Immediate,
    InvalidInput,
    Job,
    Notice,
    Output,
    OutputUnavailable,
    Progress,
    Result,
    Submission,
    TwoPhase,
)
from genpulse.providers.openai_compatible.files import decoded, part_of, pictures_of
from genpulse.providers.openai_compatible.inputs import ImageInput
from genpulse.providers.openai_compatible.refusals import failed_job
from genpulse.vendor import Account
from genpulse.wire import AnswerLost, Part

_OPTIONS = ("size", "quality", "background", "output_format")
_ANSWER_BYTES = 512 << 20


class Images(Immediate[ImageInput]):
    """`POST /images/generations`, or `/images/edits` where the input has pictures."""

    def __init__(self, account: Account, model: str) -> None:
        self._account = account
        self._model = model

    async def generate(self, call: Call[ImageInput]) -> Result:
        """Ask once."""
        order = self._edit if call.input.images else self._draw
        reply = await order(call)
        return Result(await pictures_of(self._account, reply.get("data")))

    async def _draw(self, call: Call[ImageInput]) -> Mapping[str, JsonValue]:
        body: dict[str, JsonValue] = {"model": self._model, "prompt": call.input.prompt, "n": call.input.n}
        body |= {**_options(call.input), **call.input.extra}
        reply = await self._account.order(
            "/images/generations", json=body, timeout_s=880, limit_bytes=_ANSWER_BYTES
        )
        return reply.document()

    async def _edit(self, call: Call[ImageInput]) -> Mapping[str, JsonValue]:
        wanted = call.input
        name = "image[]" if len(wanted.images) > 1 else "image"
        files = [await part_of(call, self._account, name, reference) for reference in wanted.images]
        if wanted.mask:
            files.append(await part_of(call, self._account, "mask", wanted.mask))
        fields = {"model": self._model, "prompt": wanted.prompt, "n": wanted.n, **_options(wanted), **wanted.extra}
        texts = [Part(key, str(value)) for key, value in fields.items()]
        reply = await self._account.order(
            "/images/edits", form=(*texts, *files), timeout_s=880, limit_bytes=_ANSWER_BYTES
        )
        return reply.document()


def _options(wanted: ImageInput) -> dict[str, JsonValue]:
    return {name: value for name in _OPTIONS if (value := getattr(wanted, name)) is not None}


class BackgroundImages(TwoPhase[ImageInput]):
    """`POST /responses` in the background, with the tool that draws: its id is known before its result.

    That this tool works in the background was not tried (unsure).
    """

    can_cancel = True

    def __init__(self, account: Account, model: str, secret: str | None) -> None:
        self._account = account
        self._model = model
        self._webhook = Webhook(secret) if secret else None

    async def submit(self, call: Call[ImageInput]) -> Submission:
        """Begin the response."""
        wanted = call.input
        if wanted.images or wanted.n > 1:
            raise InvalidInput("A model in the background makes one picture, from words.")
        tool: dict[str, JsonValue] = {"type": "image_generation", **_options(wanted), **wanted.extra}
        body: dict[str, JsonValue] = {
            "model": self._model,
            "input": wanted.prompt,
            "background": True,
            "store": True,
            "tools": [tool],
        }
        answer = (await self._account.order("/responses", json=body)).document()
        if not isinstance(answer.get("id"), str):
            raise AnswerLost(f"The answer names no response: {str(answer)[:200]}")
        return Submission(str(answer["id"]))

    async def poll(self, job: Job[ImageInput]) -> Progress:
        """Where it stands; no fraction is told."""
        answer = await self._ask(job)
        match answer.get("status"):
            case "completed":
                return Progress(1.0, done=True)
            case "failed" | "cancelled" | "incomplete" as word:
                return Progress(failed=failed_job(answer.get("error") or answer.get("incomplete_details") or word))
            case word:
                return Progress(message=str(word))

    async def collect(self, job: Job[ImageInput]) -> Result:
        """The pictures among what the response consists of."""
        items = (await self._ask(job)).get("output")
        found = [item for item in items if isinstance(item, Mapping)] if isinstance(items, list) else []
        pictures = [
            item["result"] for item in found if item.get("type") == "image_generation_call" and item.get("result")
        ]
        if not pictures:
            raise OutputUnavailable("The response holds no picture.", charged=Charged.YES)
        return Result(tuple(Output(decoded(str(picture))) for picture in pictures))

    async def cancel(self, job: Job[ImageInput]) -> None:
        """Stop it."""
        await self._account.ask("POST", f"/responses/{job.id}/cancel")

    async def heeds(self, notice: Notice) -> bool:
        """OpenAI signs as Standard Webhooks says; without a secret nobody is believed."""
        if self._webhook is None:
            return False
        try:
            self._webhook.verify(notice.body, dict(notice.headers))
        except (WebhookVerificationError, ValueError):
            return False
        return True

    async def _ask(self, job: Job[ImageInput]) -> Mapping[str, JsonValue]:
        reply = await self._account.ask("GET", f"/responses/{job.id}", limit_bytes=_ANSWER_BYTES)
        return reply.document()
