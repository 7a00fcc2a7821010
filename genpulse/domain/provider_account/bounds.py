"""Time bounds for odd answers of vendors."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bounds:
    """The ends of all patience with vendors, in seconds. An engine's own `longest_s` ends a job besides.

    `missing_s`: a vendor says that it knows of no such job, as it may for a moment after it took it. `refused_s`:
    it refuses each question about a job. `unusable_s`: a job is done, and its result cannot be used. These three
    count from the first such answer and begin anew after a good one.
    `question_wait_s` and `order_wait_s`: the longest wait that a vendor may ask for, before a question and before
    an order is made again. `stop_s`: telling the vendor that a job is not wanted any more. `streams_s`: reading
    the streams of an answer that was paid for and cannot be asked for again.
    """

    missing_s: float = 60.0
    refused_s: float = 600.0
    unusable_s: float = 600.0
    question_wait_s: float = 60.0
    order_wait_s: float = 3600.0
    stop_s: float = 10.0
    streams_s: float = 3600.0
