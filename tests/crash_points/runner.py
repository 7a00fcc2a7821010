"""Playing cases: first every scenario without faults, which counts its points, then each point with each fault."""

import asyncio
import random
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from tests.crash_points.faults import Injection
from tests.crash_points.invariants import judge, may_be_slowness
from tests.crash_points.lane import Lane, lanes_on
from tests.crash_points.play import Play, Scenario
from tests.crash_points.proxy import Point
from tests.crash_points.scenarios import SCENARIOS, named
from tests.crash_points.stage import LEASE_S, track_tasks

CASE_S = 120.0
STANDS_STILL_S = LEASE_S / 10
TRIES = 3


@dataclass(frozen=True)
class Case:
    """A scenario by its name, and the faults for its first process, its second one and so on."""

    scenario: str
    injections: tuple[tuple[Injection, ...], ...] = ((),)

    def __str__(self) -> str:
        faults = [f"{'ABC'[index]}: {one}" for index, part in enumerate(self.injections) for one in part]
        return f"{self.scenario} [{'; '.join(faults) or 'no fault'}]"


@dataclass(frozen=True)
class Result:
    """What became of a case.

    `struck` says how many of its faults happened, `stood_still_s` for how long this machine did nothing for it.
    """

    case: Case
    points: tuple[Point, ...]
    commits: int
    struck: int
    broken: tuple[str, ...]
    took_s: float
    stood_still_s: float

    @property
    def is_sure(self) -> bool:
        """Whether what is broken is a fault of the core, and not of a machine that is too slow for its leases."""
        return self.stood_still_s < STANDS_STILL_S or not all(map(may_be_slowness, self.broken))


@dataclass(frozen=True)
class Survey:
    """The points of a scenario."""

    scenario: Scenario
    points: tuple[Point, ...]
    commits: int


async def play(case: Case, lane: Lane) -> Result:
    """One case from an empty database to the verdict."""
    began = time.monotonic()
    acted = Play(named(case.scenario), lane, case.injections)
    try:
        async with asyncio.timeout(CASE_S):
            try:
                await acted.open()
                await acted.scenario.act(acted)
                await acted.until_ended()
                points, commits = acted.points, acted.commits
                await acted.afterwards()
                await acted.close()
                broken = await judge(acted)
            finally:
                await acted.leave()
    except Exception as error:  # noqa: BLE001 - a case that cannot be played is a finding like any other
        points, commits = acted.points if acted.processes else [], 0
        broken = [*acted.problems, f"the case broke off: {type(error).__name__}: {error}"]
    return Result(
        case, tuple(points), commits, acted.struck, tuple(broken), time.monotonic() - began, acted.stood_still_s
    )


async def _judged(case: Case, lane: Lane, tries: int) -> Result:
    """One case, once more where the machine was too slow to tell; at last as it is."""
    for _ in range(tries):
        result = await play(case, lane)
        if result.is_sure:
            break
    return result


async def play_all(
    cases: Iterable[Case],
    lanes: Sequence[Lane],
    tell: Callable[[Result], None],
    until: float | None = None,
    tries: int = TRIES,
) -> list[Result]:
    """Play cases, one a lane at a time; no new one after `until` on the monotonic clock."""
    track_tasks()
    waiting, results = iter(cases), []

    async def in_lane(lane: Lane) -> None:
        for case in waiting:
            if until is not None and time.monotonic() > until:
                return
            result = await _judged(case, lane, tries)
            results.append(result)
            tell(result)

    async with asyncio.TaskGroup() as group:
        for lane in lanes:
            group.create_task(in_lane(lane))
    asyncio.get_running_loop().set_task_factory(None)
    return results


def surveyed(results: Iterable[Result]) -> list[Survey]:
    """What the cases without faults have shown."""
    return [Survey(named(one.case.scenario), one.points, one.commits) for one in results]


def single_faults(surveys: Iterable[Survey]) -> list[Case]:
    """Every point with every fault."""
    return [
        Case(survey.scenario.name, ((Injection(point, fault),),))
        for survey in surveys
        for point in survey.points
        for fault in survey.scenario.faults
    ]


def pairs(surveys: Sequence[Survey], count: int, seed: int) -> list[Case]:
    """Two faults at once, drawn with a seed: at the same process, or at the one that follows it."""
    draw = random.Random(seed)
    drawn = []
    for _ in range(count if surveys else 0):
        survey = draw.choice(surveys)
        first, second = (
            Injection(draw.choice(survey.points), draw.choice(survey.scenario.faults)) for _ in range(2)
        )
        together = draw.random() < 0.4
        injections = ((first, second),) if together else ((first,), (second,))
        drawn.append(Case(survey.scenario.name, injections))
    return drawn


def drawn(cases: Sequence[Case], count: int, seed: int) -> list[Case]:
    """Some of all single faults: first each label of each scenario once, with faults that take turns."""
    shuffled = list(cases)
    random.Random(seed).shuffle(shuffled)
    first_of: dict[tuple[str, str], Case] = {}
    for case in shuffled:
        first_of.setdefault((case.scenario, case.injections[0][0].point.label), case)
    first = set(first_of.values())
    rest = [case for case in shuffled if case not in first]
    return [*first_of.values(), *rest][:count]


@dataclass
class Report:
    """All results, as a table."""

    surveys: list[Survey]
    results: list[Result] = field(default_factory=list)

    @property
    def broken(self) -> list[Result]:
        """Cases in which something was not true."""
        return [result for result in self.results if result.broken]

    def __str__(self) -> str:
        lines = ["| scenario | points | commits | runs | struck | violations |", "|---|---:|---:|---:|---:|---:|"]
        for survey in self.surveys:
            own = [result for result in self.results if result.case.scenario == survey.scenario.name]
            broken = sum(bool(result.broken) for result in own)
            struck = sum(bool(result.struck) for result in own)
            counts = (len(survey.points), survey.commits, len(own), struck, broken)
            lines.append(f"| {survey.scenario.name} | {' | '.join(map(str, counts))} |")
        points = sum(len(survey.points) for survey in self.surveys)
        twice = sum(result.struck > 1 for result in self.results)
        unsure = sum(not result.is_sure for result in self.broken)
        lines += [
            "",
            f"{points} points, {len(self.results)} runs ({twice} with two faults).",
            f"{len(self.broken)} violations, {unsure} of them unsure, since the machine stood still.",
        ]
        return "\n".join(lines)


async def survey_on(
    server_url: str, lane_count: int, tell: Callable[[Result], None], only: Sequence[str] = (), tries: int = TRIES
) -> list[Result]:
    """Play every scenario without faults, in so many databases of one server."""
    async with lanes_on(server_url, lane_count) as lanes:
        return await survey_in(lanes, tell, only, tries)


async def survey_in(
    lanes: Sequence[Lane], tell: Callable[[Result], None], only: Sequence[str] = (), tries: int = TRIES
) -> list[Result]:
    """Play every scenario without faults."""
    chosen = [scenario for scenario in SCENARIOS if not only or any(word in scenario.name for word in only)]
    results = await play_all([Case(scenario.name) for scenario in chosen], lanes, tell, tries=tries)
    order = [scenario.name for scenario in chosen]
    return sorted(results, key=lambda result: order.index(result.case.scenario))


async def run_on(
    server_url: str,
    lane_count: int,
    cases: Sequence[Case],
    tell: Callable[[Result], None],
    until: float | None = None,
    tries: int = TRIES,
) -> list[Result]:
    """Play cases in so many databases of one server."""
    async with lanes_on(server_url, lane_count) as lanes:
        return await play_all(cases, lanes, tell, until, tries)
