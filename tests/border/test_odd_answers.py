"""Whatever vendors answer: nothing is ordered twice or called free, all comes to an end, and neighbours live."""

import asyncio
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import Phase as Hypothesis
from hypothesis import strategies as st

from genpulse.domain.task import TaskStatus
from genpulse.testing.server import Ordered
from tests.border.amount import EXAMPLES
from tests.border.answers import Case, cases
from tests.border.oracle import broken, is_proved
from tests.border.stage import play
from tests.conformance.subjects import ADAPTERS

_AT_ONCE = (8, 24)
_LACKS = {name: adapter.subject(adapter.fake()).lacks for name, adapter in ADAPTERS.items()}
_CASES = st.sampled_from(sorted(ADAPTERS)).flatmap(lambda name: cases(name, _LACKS[name]))


@settings(
    max_examples=int(os.environ.get(EXAMPLES, "4")),
    derandomize=EXAMPLES not in os.environ,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=(Hypothesis.explicit, Hypothesis.generate),
)
@given(st.lists(_CASES, min_size=_AT_ONCE[0], max_size=_AT_ONCE[1]))
def test_whatever_vendors_answer(drawn):
    wrong = asyncio.run(_wrong(drawn))
    assert not wrong, "\n".join(wrong)


async def _wrong(drawn: list[Case]) -> list[str]:
    neighbours = [Case(name) for name in sorted(ADAPTERS)]
    played = await play([*drawn, *neighbours])
    wrong = [f"a mistake was logged: {mistake}" for mistake in played.mistakes]
    for seen in played.seen:
        found = broken(seen.case.adapter, seen.fake.orders, seen.case.oddities, seen.task)
        found += [f"the key went to {leak}" for leak in seen.fake.leaks]
        found += ["an address inside was reached"] * seen.fake.inside_hits
        if not seen.case.is_odd and seen.task.status is not TaskStatus.SUCCEEDED:
            found.append(f"a neighbour was hurt: {seen.task.error}")
        wrong += [f"{seen.case}: {one}" for one in found]
    return wrong


@pytest.mark.parametrize(
    ("adapter", "order", "proved"),
    [
        ("fal", Ordered(422, taken=False), True),
        ("fal", Ordered(429, taken=False), True),
        ("fal", Ordered(408, taken=True), False),
        ("fal", Ordered(503, taken=False), False),
        ("fal", Ordered(None, taken=False), False),
        ("comfyui", Ordered(None, taken=False), True),
        ("comfyui", Ordered(500, taken=True), False),
    ],
)
def test_the_oracle_itself(adapter, order, proved):
    assert is_proved(adapter, order) is proved
