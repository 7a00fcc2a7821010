"""One row a file: `measure` returns figures, beside a floor or a peer of the same run."""

NAMES = (
    "submit",
    "submit_two",
    "submit_orm",
    "status_read",
    "own_code",
    "doors",
    "end_to_end",
    "start_latency",
    "remote_jobs",
    "event_streams",
    "polling",
    "files",
    "small_files",
    "growth",
    "console",
    "start_up",
    "fairness",
    "branches",
    "traces",
    "features",
    "usual_service",
)
"""In the order in which they are shown."""
LONG = ("week",)
"""Rows that take so long that they run only where they are named; they are shown after the others."""
