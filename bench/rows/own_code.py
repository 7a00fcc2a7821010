"""What requests cost our own code, without a server, a database or another process beside it."""

from bench.rounds import Result, Series
from bench.stack import Stack


def measure(stack: Stack) -> Result:
    """A process of its own each round."""
    rounds = [stack.load("own_code") for _ in range(stack.size.rounds)]
    series = tuple(
        Series(name, "µs", tuple(figures[key] for figures in rounds))
        for name, key in (("submit", "submit_us"), ("status read", "read_us"))
    )
    note = (
        "The application alone, called in one process, on a store in memory: least of many turns. It hardly moves"
        " with what else a machine does, so that `make bench-compare` tells small differences by it."
    )
    return Result("our own code for a request", series, (), note)
