"""Settings of PostgreSQL under which our statements run."""

from collections.abc import Mapping
from dataclasses import dataclass

PROBES = 3
PLANNER = {"enable_seqscan": "off", "plan_cache_mode": "force_generic_plan", "jit": "off"}
"""Every statement that carries load finds its rows by an index.

Left to itself, the planner reads whole tables where its statistics are older than the rows: to start
200 tasks took 240 ms in place of 3 where 4,000 waited.
"""


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """Seconds after which PostgreSQL gives up a statement, a transaction that stands still, a vanished peer."""

    statement_s: float
    idle_transaction_s: float
    vanished_s: float

    @property
    def of_transaction(self) -> Mapping[str, str]:
        """What a transaction needs, wherever it runs."""
        return {
            "statement_timeout": milliseconds(self.statement_s),
            "idle_in_transaction_session_timeout": milliseconds(self.idle_transaction_s),
            **PLANNER,
        }

    @property
    def of_session(self) -> Mapping[str, str]:
        """What a session needs that is ours as long as it lasts."""
        return {**self.of_transaction, **keep_alive(self.vanished_s)}


def keep_alive(vanished_s: float) -> Mapping[str, str]:
    """What PostgreSQL does to notice that we are gone."""
    idle_s, interval_s = pace(vanished_s)
    return {
        "tcp_keepalives_idle": str(idle_s),
        "tcp_keepalives_interval": str(interval_s),
        "tcp_keepalives_count": str(PROBES),
        "tcp_user_timeout": milliseconds(vanished_s),
        "client_connection_check_interval": milliseconds(vanished_s),
    }


def pace(vanished_s: float) -> tuple[int, int]:
    """After how many seconds of silence to ask, and how many between the questions."""
    return max(1, round(vanished_s / 2)), max(1, round(vanished_s / 2 / PROBES))


def milliseconds(seconds: float) -> str:
    return str(round(seconds * 1000))


def statement(settings: Mapping[str, str], *, local: bool) -> str:
    """SQL that sets them, for the transaction alone where `local` is set. They are names and numbers of ours."""
    verb = "SET LOCAL" if local else "SET"
    return "; ".join(f"{verb} {name} = '{value}'" for name, value in settings.items())
