"""Spoken words: the answer is the file, whatever its header says that it is."""

from genpulse.domain.json.value import JsonObject, JsonValue
from genpulse.provider import Call, Charged, Immediate, Output, OutputUnavailable, Result
from genpulse.provider.account import Account
from genpulse.provider.encoded import data_uri
from genpulse.provider.http import AnswerLost, Reply
from genpulse.providers.openai_compatible.inputs import SpeechInput
from genpulse.providers.openai_compatible.refusals import Refusals


class Speech(Immediate[SpeechInput]):
    """`POST /audio/speech`."""

    def __init__(self, account: Account, refusals: Refusals, model: str) -> None:
        self._account = account
        self._refusals = refusals
        self._model = model

    async def generate(self, call: Call[SpeechInput]) -> Result:
        """Ask once."""
        reply = await self._account.order("/audio/speech", json=self._body(call.input), timeout_s=880)
        if error := self._refusals.within(_document(reply)):
            raise error
        if not reply.body:
            raise OutputUnavailable(
                "The server says that it is done, and its answer is empty.", charged=Charged.YES
            )
        return Result((Output(_sound(reply.body)),))

    def _body(self, input_: SpeechInput) -> JsonObject:
        body: dict[str, JsonValue] = {
            "model": self._model,
            "input": input_.text,
            "voice": input_.voice,
            "response_format": input_.format,
        }
        if input_.speed is not None:
            body["speed"] = input_.speed
        if input_.instructions is not None:
            body["instructions"] = input_.instructions
        return {**body, **input_.extra}


def _sound(body: bytes) -> bytes:
    """The sound of an answer: of a `data:` URI its content, else the answer itself."""
    try:
        return data_uri(body.decode("ascii"))[1] if body[:5].lower() == b"data:" else body
    except ValueError:
        return body


def _document(reply: Reply) -> JsonObject:
    """The answer where it is no sound but a JSON object; an empty object otherwise."""
    if not reply.body.lstrip().startswith(b"{"):
        return {}
    try:
        return reply.document()
    except AnswerLost:
        return {}
