"""Odd answers, drawn."""

from collections.abc import Collection
from dataclasses import dataclass

from hypothesis import strategies as st

from genpulse.testing import Body, OddAnswer, Oddity, Phase, Situation

_STATUSES = st.one_of(
    st.none(),
    st.sampled_from((200, 201, 202, 203, 204, 205, 206, 207, 226)),
    st.sampled_from((300, 301, 302, 303, 304, 305, 307, 308)),
    st.integers(400, 451),
    st.integers(500, 530),
    st.sampled_from((498, 499, 561, 598, 599)),
)
_RETRY_AFTER = ("0", "1", "86400", "1e9", "9" * 30, "-5", "soon", "NaN", "Fri, 31 Dec 2999 23:59:59 GMT", "")
_LOCATIONS = (
    "{own}/v1/everything",
    "//{own}/v1/everything",
    "/v1/everything",
    "/elsewhere",
    "{files}/output/1",
    "{inside}",
    "http://127.0.0.1:1/",
    "https://0x7f.1/",
    "file:///etc/passwd",
    "//[::1",
    "?",
    "",
)
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
        "Location": st.sampled_from(_LOCATIONS),
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
_STRANGERS = (
    Situation.OWN_API_OUTPUT,
    Situation.OWN_API_REDIRECT,
    Situation.INSIDE_OUTPUT,
    Situation.REDIRECTED_OUTPUT,
)
"""A stranger names an address."""
_BODIES = st.sampled_from([body for body in Body if body is not Body.HELD])


@dataclass(frozen=True, repr=False)
class Case:
    """A task of an adapter whose vendor is in a situation, and answers so; the caller may cancel it."""

    adapter: str
    oddities: tuple[Oddity, ...] = ()
    situation: Situation = Situation.WELL
    canceled: bool = False

    @property
    def is_odd(self) -> bool:
        """Whether its vendor does anything but behave well."""
        return bool(self.oddities) or self.situation is not Situation.WELL

    def _repr_pretty_(self, printer: "object", cycle: bool) -> None:
        """As Hypothesis shows it."""
        printer.text(repr(self))  # type: ignore[attr-defined]

    def __repr__(self) -> str:
        odd = "; ".join(map(str, (self.situation.name, *self.oddities)))
        return f"{self.adapter}{' (canceled)' if self.canceled else ''}: {odd}"


@st.composite
def cases(draw: st.DrawFn, adapter: str, lacks: Collection[str]) -> Case:
    """One to three odd answers in phases that the adapter has; many in an odd situation besides."""
    phases = [phase for phase in Phase if phase.name.lower() not in lacks and phase is not Phase.FIND]
    oddities = draw(st.lists(_oddity(phases), min_size=1, max_size=3))
    known = [one for one in Situation if one.name.lower() not in lacks]
    strange = [one for one in _STRANGERS if one in known] or [Situation.WELL]
    situation = draw(st.sampled_from(draw(st.sampled_from(([Situation.WELL], strange, known)))))
    return Case(adapter, tuple(oddities), situation, canceled=draw(st.integers(0, 4)) == 0)


@st.composite
def _oddity(draw: st.DrawFn, phases: list[Phase]) -> Oddity:
    phase = draw(st.sampled_from(phases))
    answer = OddAnswer(
        draw(_STATUSES),
        draw(_BODIES),
        draw(_HEADERS),
        draw(_WORDS),
        taken=phase is not Phase.ORDER or draw(st.booleans()),
    )
    return Oddity(phase, answer, draw(st.sampled_from((1, 2, 3, None))))
