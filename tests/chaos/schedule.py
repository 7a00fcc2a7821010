"""What is done to the installation, and when: drawn from the seed alone, so that a storm can be had again."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Blow(StrEnum):
    """One thing that is done."""

    WORKER_KILL = "worker SIGKILL"
    WORKER_TERM = "worker SIGTERM"
    WORKER_FREEZE = "worker SIGSTOP"
    WORKER_FREEZE_IN_TRANSACTION = "worker SIGSTOP in a transaction"
    API_KILL = "api SIGKILL"
    POSTGRES_KILL = "PostgreSQL SIGKILL"
    POSTGRES_FREEZE = "PostgreSQL SIGSTOP"
    POSTGRES_READ_ONLY = "PostgreSQL read-only"
    POSTGRES_BACKENDS = "PostgreSQL backends terminated"
    REDIS_KILL = "Redis SIGKILL"
    REDIS_FREEZE = "Redis SIGSTOP"
    REDIS_FLUSH = "Redis FLUSHALL"
    REDIS_FULL = "Redis takes no writes"

    @property
    def on_workers(self) -> bool:
        """Whether it needs victims among the workers."""
        return self.value.startswith("worker")


class When(StrEnum):
    """When the second blow falls."""

    NEVER = "alone"
    AT_ONCE = "with"
    IN_TAKE_OVER = "then, in the take-over,"
    SOON = "then, a moment later,"


class Who(StrEnum):
    """Which workers."""

    ONE = "one"
    HALF = "half"
    THE_OTHERS = "the others"


@dataclass(frozen=True)
class Strike:
    """A blow on these victims (numbers of workers, or of an API), which is over after `lasts_s` seconds."""

    blow: Blow
    victims: tuple[int, ...]
    lasts_s: float


@dataclass(frozen=True)
class Incident:
    """After `pause_s` seconds the first blow; `after_s` seconds after it, or after the take-over, the second."""

    pause_s: float
    first: Strike
    when: When
    after_s: float
    second: Strike | None

    @property
    def name(self) -> str:
        """As the report counts it."""
        if self.second is None:
            return str(self.first.blow)
        return f"{self.first.blow} {self.when} {self.second.blow}"


@dataclass(frozen=True)
class _Pair:
    first: Blow
    when: When = When.NEVER
    second: Blow | None = None
    who: Who = Who.ONE


_PAIRS = (
    _Pair(Blow.WORKER_KILL, When.IN_TAKE_OVER, Blow.WORKER_KILL, Who.HALF),
    _Pair(Blow.WORKER_KILL, When.IN_TAKE_OVER, Blow.POSTGRES_KILL, Who.HALF),
    _Pair(Blow.WORKER_KILL, When.IN_TAKE_OVER, Blow.POSTGRES_BACKENDS, Who.HALF),
    _Pair(Blow.WORKER_KILL, When.IN_TAKE_OVER, Blow.POSTGRES_READ_ONLY, Who.HALF),
    _Pair(Blow.WORKER_FREEZE, When.IN_TAKE_OVER, Blow.WORKER_KILL),
    _Pair(Blow.WORKER_FREEZE, When.IN_TAKE_OVER, Blow.POSTGRES_FREEZE),
    _Pair(Blow.POSTGRES_KILL, When.AT_ONCE, Blow.WORKER_KILL),
    _Pair(Blow.POSTGRES_KILL, When.AT_ONCE, Blow.WORKER_TERM),
    _Pair(Blow.POSTGRES_READ_ONLY, When.AT_ONCE, Blow.WORKER_TERM),
    _Pair(Blow.POSTGRES_READ_ONLY, When.SOON, Blow.POSTGRES_KILL),
    _Pair(Blow.POSTGRES_FREEZE, When.AT_ONCE, Blow.REDIS_KILL),
    _Pair(Blow.WORKER_TERM, When.SOON, Blow.WORKER_TERM, Who.HALF),
    _Pair(Blow.WORKER_TERM, When.SOON, Blow.WORKER_KILL, Who.HALF),
    _Pair(Blow.REDIS_KILL, When.AT_ONCE, Blow.WORKER_KILL),
    _Pair(Blow.API_KILL, When.AT_ONCE, Blow.POSTGRES_KILL),
    _Pair(Blow.WORKER_FREEZE_IN_TRANSACTION),
    _Pair(Blow.WORKER_FREEZE_IN_TRANSACTION, When.AT_ONCE, Blow.POSTGRES_BACKENDS),
)
_ALONE = tuple(_Pair(blow) for blow in Blow)
ROUND = len(_PAIRS) + len(_ALONE)
"""After so many incidents each kind has been there, and a new round begins."""


@dataclass(frozen=True)
class Terms:
    """What a storm has to know: the mean pause between incidents and the lease, in seconds, and who there is."""

    every_s: float
    lease_s: float
    workers: int
    apis: int


def storm(seed: int, terms: Terms) -> Iterator[Incident]:
    """Incidents without end: rounds of all kinds, some at random."""
    draw = random.Random(f"{seed}:storm")
    while True:
        kinds = [*_PAIRS, *_ALONE]
        draw.shuffle(kinds)
        for kind in kinds:
            yield _incident(draw, kind, terms)
            if draw.random() < 0.2:
                yield _incident(draw, _at_random(draw), terms)


def _at_random(draw: random.Random) -> _Pair:
    first, second = draw.choices(list(Blow), k=2)
    return _Pair(first, draw.choice((When.AT_ONCE, When.SOON)), second)


def _incident(draw: random.Random, pair: _Pair, terms: Terms) -> Incident:
    order = draw.sample(range(terms.workers), terms.workers)
    count = max(terms.workers // 2, 1) if pair.who is Who.HALF else 1
    first = _strike(draw, pair.first, tuple(order[:count]), terms)
    pause_s, after_s = terms.every_s * draw.uniform(0.5, 1.5), draw.choice((0.0, 0.005, 0.02, 0.1, 0.3))
    if pair.second is None:
        return Incident(pause_s, first, When.NEVER, 0.0, None)
    others = tuple(order[count:]) or tuple(order)
    rest = others if pair.when is When.IN_TAKE_OVER else others[:1]
    return Incident(pause_s, first, pair.when, after_s, _strike(draw, pair.second, rest, terms))


def _strike(draw: random.Random, blow: Blow, workers: tuple[int, ...], terms: Terms) -> Strike:
    victims = workers if blow.on_workers else (draw.randrange(terms.apis),) if blow is Blow.API_KILL else ()
    return Strike(blow, victims, _lasts_s(draw, blow, terms.lease_s))


def _lasts_s(draw: random.Random, blow: Blow, lease_s: float) -> float:
    match blow:
        case Blow.WORKER_FREEZE | Blow.WORKER_FREEZE_IN_TRANSACTION:
            return lease_s * draw.uniform(1.3, 2.5)
        case Blow.WORKER_KILL:
            return draw.choice((0.0, 0.0, 1.0, 4.0))
        case Blow.WORKER_TERM | Blow.API_KILL:
            return 0.0
        case Blow.POSTGRES_KILL:
            return draw.choice((0.5, 2.0, lease_s * 1.5))
        case Blow.POSTGRES_FREEZE:
            return draw.choice((2.0, lease_s * 1.6))
        case Blow.POSTGRES_READ_ONLY:
            return draw.choice((1.0, 4.0, 12.0))
        case _:
            return draw.uniform(0.5, 5.0)
