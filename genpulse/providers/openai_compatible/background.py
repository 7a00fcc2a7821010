"""Pictures that are made in the background."""

from genpulse.domain.json.value import JsonObject, JsonValue
from genpulse.provider import (
    Answer,
    Call,
    Callback,
    Charged,
    InvalidInput,
    Job,
    OutputUnavailable,
    Progress,
    Result,
    Submission,
    TwoPhase,
)
from genpulse.provider.account import Account
from genpulse.provider.flags import flags_of
from genpulse.provider.http import AnswerUnusable
from genpulse.provider.job_id import in_path
from genpulse.provider.standard_webhooks import is_signed, webhook_of
from genpulse.provider.status_words import Standing, StatusWords
from genpulse.providers.openai_compatible.images import ANSWER_BYTES, options_of
from genpulse.providers.openai_compatible.inputs import ImageInput
from genpulse.providers.openai_compatible.pictures import pictures_of, with_places
from genpulse.providers.openai_compatible.refusals import Refusals, refused
from genpulse.providers.openai_compatible.standing import WORDS, progress_of

_PICTURE = "image_generation_call"


class BackgroundImages(TwoPhase[ImageInput]):
    """`POST /responses` in the background, with the tool that draws: its id is known before its result.

    That this tool works in the background was not tried (unsure).
    """

    can_cancel = True

    def __init__(
        self, account: Account, refusals: Refusals, model: str, secret: str | None, words: StatusWords = WORDS
    ) -> None:
        self._account = account
        self._refusals = refusals
        self._model = model
        self._webhook = webhook_of(secret) if secret else None
        self._words = words

    async def submit(self, call: Call[ImageInput]) -> Submission:
        """Begin the response."""
        input_ = call.input
        if input_.images or input_.n > 1:
            raise InvalidInput("A model in the background makes one picture, from words.")
        tool: JsonObject = {"type": "image_generation", **options_of(input_), **input_.extra}
        body: JsonObject = {
            "model": self._model,
            "input": input_.prompt,
            "background": True,
            "store": True,
            "tools": [tool],
        }
        return Submission(self._refusals.job_id_in(await self._account.order("/responses", json=body)))

    async def poll(self, job: Job[ImageInput]) -> Progress:
        """Poll the response; servers tell no fraction."""
        return progress_of(await self._ask(job), job.id, self._words, self._refusals)

    async def collect(self, job: Job[ImageInput]) -> Result:
        """The pictures among what the response consists of."""
        answer = await self._ask(job)
        if self._words.standing(answer.get("status")) is Standing.RUNNING:
            raise AnswerUnusable("The server says that the response goes on, after it said that it is done.")
        items = answer.get("output")
        results = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
        pictures = pictures_of(self._account, [item for item in results if item.get("type") == _PICTURE])
        if not pictures and (error := self._refusals.within(answer)):
            raise refused(error)
        if not pictures:
            raise OutputUnavailable(
                f"The response holds no picture. {_words(results)}".strip(), charged=Charged.YES
            )
        return Result(pictures, warnings=flags_of(answer), answer={**answer, "output": _with_pictures(items)})

    async def cancel(self, job: Job[ImageInput]) -> None:
        """Stop it."""
        self._refusals.look_for(await self._account.ask("POST", f"{_path(job)}/cancel"))

    async def is_authentic(self, callback: Callback) -> bool:
        """OpenAI signs as Standard Webhooks says; without a secret nobody is believed."""
        return self._webhook is not None and is_signed(callback, self._webhook)

    async def _ask(self, job: Job[ImageInput]) -> JsonObject:
        return (await self._account.ask("GET", _path(job), limit_bytes=ANSWER_BYTES)).document()


def _with_pictures(items: JsonValue) -> Answer:
    """What the response consists of, with the places of its pictures."""
    answers: list[Answer] = []
    count = 0
    for item in items if isinstance(items, list) else ():
        is_picture = isinstance(item, dict) and item.get("type") == _PICTURE
        answers.append(with_places(item, count) if is_picture else item)
        count += is_picture
    return answers


def _path(job: Job[ImageInput]) -> str:
    return f"/responses/{in_path(job.id)}"


def _words(items: list[dict[str, JsonValue]]) -> str:
    """The text that the model has written in place of a picture."""
    contents = [part for item in items if isinstance(parts := item.get("content"), list) for part in parts]
    texts = [part.get("refusal") or part.get("text") for part in contents if isinstance(part, dict)]
    words = " ".join(text for text in texts if isinstance(text, str))
    return f"It says: {words[:300]}" if words else ""
