"""Durable submit over HTTP with two API processes."""

from bench.rounds import Result
from bench.rows import submit
from bench.stack import Stack


def measure(stack: Stack) -> Result:
    """Two API processes, two of the lean program, and pgbench take turns."""
    return submit.measure(stack, processes=2, bound=0.9)
