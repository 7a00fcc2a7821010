"""Odd answers, drawn."""

from collections.abc import Collection
from dataclasses import dataclass

from hypothesis import strategies as st

from genpulse.testing import Answer, Body, Oddity, Phase

_STATUSES = st.one_of(
    st.none(),
    st.sampled_from((200, 201, 202, 203, 204, 205, 206, 207, 226)),
    st.sampled_from((300, 301, 302, 303, 304, 305, 307, 308)),
    st.integers(400, 451),
    st.integers(500, 530),
    st.sampled_from((498, 499, 561, 598, 599)),
)
_RETRY_AFTER = ("0", "1", "86400", "1e9", "9" * 30, "-5", "soon", "NaN", "Fri, 31 Dec 2999 23:59:59 GMT", "")
_HEADERS = st.dictionaries(
    st.sampled_from(("Retry-After", "retry-after-ms", "openai-poll-after-ms")), st.sampled_from(_RETRY_AFTER)
) | st.fixed_dictionaries(
    {},
    optional={
        "Content-Type": st.sampled_from(
            ("text/html", "application/json", "image/png", "text/event-stream", "x", "multipart/mixed")
        ),
        "Content-Encoding": st.sampled_from(("gzip", "deflate", "br", "identity", "x-odd")),
        "X-Fal-Error-Type": st.just("internal_error"),
        "X-Fal-Request-Id": st.just("r"),
        "Set-Cookie": st.just("session=1; Path=/"),
        "Location": st.sampled_from(
            ("/elsewhere", "http://127.0.0.1:1/", "//[::1", "file:///etc/passwd", "https://0x7f.1/", "", "?")
        ),
    },
)
_WORDS = st.one_of(
    st.sampled_from(
        (
            "something is wrong here",
            "Exhausted balance",
            "insufficient_quota",
            "your request was flagged by our moderation: nsfw",
            "Prediction not found",
            "no such model",
            "succeeded",
            "",
        )
    ),
    st.text(max_size=40),
)
_BODIES = st.sampled_from([body for body in Body if body is not Body.HELD])


@dataclass(frozen=True, repr=False)
class Case:
    """A task of an adapter that meets these answers; the caller may cancel it as soon as it was ordered."""

    adapter: str
    oddities: tuple[Oddity, ...]
    canceled: bool = False

    def _repr_pretty_(self, printer: "object", cycle: bool) -> None:
        """As Hypothesis shows it."""
        printer.text(repr(self))  # type: ignore[attr-defined]

    def __repr__(self) -> str:
        odd = "; ".join(map(str, self.oddities))
        return f"{self.adapter}{' (canceled)' if self.canceled else ''}: {odd}"


@st.composite
def cases(draw: st.DrawFn, adapter: str, phases: Collection[Phase]) -> Case:
    """One to three odd answers in phases that the adapter has."""
    oddities = draw(st.lists(_oddity(sorted(phases)), min_size=1, max_size=3))
    return Case(adapter, tuple(oddities), draw(st.integers(0, 4)) == 0)


@st.composite
def _oddity(draw: st.DrawFn, phases: list[Phase]) -> Oddity:
    phase = draw(st.sampled_from(phases))
    answer = Answer(
        draw(_STATUSES),
        draw(_BODIES),
        draw(_HEADERS),
        draw(_WORDS),
        taken=phase is not Phase.ORDER or draw(st.booleans()),
    )
    return Oddity(phase, answer, draw(st.sampled_from((1, 2, 3, None))))
