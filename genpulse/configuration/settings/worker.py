"""The section of the worker."""

from pydantic import Field

from genpulse.configuration.settings.values import Section


class Worker(Section):
    """A worker process."""

    concurrency: int = Field(1000, ge=1, le=100_000, description="Tasks at once in one process.")
    batch: int = Field(200, ge=1, le=1000, description="Tasks that are claimed at a time.")
    lease_s: float = Field(
        15, ge=1, le=3600, description="Seconds until the tasks of a worker that is gone go to another one."
    )
    grace_s: float = Field(
        30, ge=0, le=86400, description="Seconds that work done in the worker itself gets when the worker stops."
    )
    stop_s: float = Field(
        900,
        ge=0,
        le=86400,
        description=(
            "Seconds that a worker that stops waits for answers to what it has ordered; what is given up then may"
            " be paid for in vain. Whoever ends processes by force must wait for longer."
        ),
    )
    local_threads: int | None = Field(
        None,
        ge=1,
        le=1024,
        description="Threads in which local engines do heavy work; empty: one for each processor, at least 2.",
    )
    output_limit_bytes: int = Field(8 << 30, ge=1024, description="Bytes of one output at most.")
    health_file: str | None = Field(
        None,
        description=(
            "File that a worker writes every five seconds for `genpulse worker --health`, one for each worker on a"
            " machine; empty: none."
        ),
    )
