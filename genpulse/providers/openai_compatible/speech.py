"""Spoken words: the answer is the file."""

from genpulse.domain.json_value import JsonValue
from genpulse.provider import Call, Charged, Immediate, Output, OutputUnavailable, Result
from genpulse.providers.openai_compatible.inputs import SpeechInput
from genpulse.vendor import Account


class Speech(Immediate[SpeechInput]):
    """`POST /audio/speech`."""

    def __init__(self, account: Account, model: str) -> None:
        self._account = account
        self._model = model

    async def generate(self, call: Call[SpeechInput]) -> Result:
        """Ask once."""
        wanted = call.input
        body: dict[str, JsonValue] = {
            "model": self._model,
            "input": wanted.text,
            "voice": wanted.voice,
            "response_format": wanted.format,
        }
        if wanted.speed is not None:
            body["speed"] = wanted.speed
        if wanted.instructions is not None:
            body["instructions"] = wanted.instructions
        reply = await self._account.order("/audio/speech", json={**body, **wanted.extra}, timeout_s=880)
        kind = reply.headers.get("content-type", "")
        if not reply.body or kind.startswith(("text/", "application/json")):
            found = f"{len(reply.body)} bytes of {kind or 'no type'}: {reply.excerpt(100)}"
            raise OutputUnavailable(
                f"The server says that it is done and sends no sound ({found}).", charged=Charged.YES
            )
        return Result((Output(reply.body),))
