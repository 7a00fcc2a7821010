"""Pictures by one request."""

from genpulse.domain.json.value import JsonObject, JsonValue
from genpulse.provider import (
    Call,
    Charged,
    Immediate,
    Missing,
    Output,
    OutputUnavailable,
    Result,
    TaskWarning,
    WarningCode,
)
from genpulse.provider.account import Account
from genpulse.provider.flags import flags_of
from genpulse.provider.http import AnswerUnusable, Reply
from genpulse.providers.openai_compatible.files import part_of
from genpulse.providers.openai_compatible.forms import fields_of
from genpulse.providers.openai_compatible.inputs import ImageInput
from genpulse.providers.openai_compatible.pictures import is_picture, pictures_of, with_places
from genpulse.providers.openai_compatible.refusals import Refusals
from genpulse.providers.openai_compatible.token_usage import usage_of

ANSWER_BYTES = 512 << 20
_ORDER_S = 880.0
_OPTIONS = ("size", "quality", "background", "output_format")


class Images(Immediate[ImageInput]):
    """`POST /images/generations`, or `/images/edits` where the input has pictures."""

    def __init__(self, account: Account, refusals: Refusals, model: str) -> None:
        self._account = account
        self._refusals = refusals
        self._model = model

    async def generate(self, call: Call[ImageInput]) -> Result:
        """Ask once."""
        reply = await (self._edit if call.input.images else self._draw)(call)
        if is_picture(reply.body):
            return Result((Output(reply.body), *_lacking(call.input.n, 1)))
        answer = _document(reply)
        name = "data" if answer.get("data") else "images"
        pictures = pictures_of(self._account, answer.get(name))
        error = self._refusals.within(answer)
        if error and all(isinstance(picture.content, Missing) for picture in pictures):
            raise error
        if not pictures:
            raise OutputUnavailable("The server says that it is done, and its list is empty.", charged=Charged.YES)
        beside = (TaskWarning(WarningCode.FLAGGED, error.message),) if error else ()
        lacking = _lacking(call.input.n, len(pictures))
        warnings = (*flags_of(answer), *beside)
        told = {**answer, name: with_places(answer.get(name))}
        return Result((*pictures, *lacking), warnings=warnings, usage=usage_of(answer), answer=told)

    async def _draw(self, call: Call[ImageInput]) -> Reply:
        return await self._account.order(
            "/images/generations", json=self._values(call.input), timeout_s=_ORDER_S, limit_bytes=ANSWER_BYTES
        )

    async def _edit(self, call: Call[ImageInput]) -> Reply:
        input_ = call.input
        name = "image[]" if len(input_.images) > 1 else "image"
        files = [await part_of(call, name, reference) for reference in input_.images]
        if input_.mask:
            files.append(await part_of(call, "mask", input_.mask))
        form = (*fields_of(self._values(input_)), *files)
        return await self._account.order("/images/edits", form=form, timeout_s=_ORDER_S, limit_bytes=ANSWER_BYTES)

    def _values(self, input_: ImageInput) -> JsonObject:
        body: dict[str, JsonValue] = {"model": self._model, "prompt": input_.prompt, "n": input_.n}
        return {**body, **options_of(input_), **input_.extra}


def _lacking(count: int, came: int) -> tuple[Output, ...]:
    return (Output(Missing(f"{count} pictures were ordered, and {came} came.")),) * (count - came)


def _document(reply: Reply) -> JsonObject:
    """The answer; a bare list is one of pictures. Raises `AnswerUnusable`."""
    match reply.json():
        case dict() as answer:
            return answer
        case list() as pictures:
            return {"data": pictures}
        case _:
            raise AnswerUnusable(f"The answer holds no picture: {reply.excerpt()}")


def options_of(input_: ImageInput) -> JsonObject:
    """The options that the caller has set beside the prompt."""
    return {name: value for name in _OPTIONS if (value := getattr(input_, name)) is not None}
