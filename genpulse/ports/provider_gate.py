"""The port of the circuit breaker and rate limiter of provider accounts."""

from typing import Protocol

from genpulse.domain.failure import Failure
from genpulse.domain.provider_account.circuit_event import CircuitEvent
from genpulse.domain.provider_account.gate import Admission, Circuit, Limits
from genpulse.domain.provider_account.learned_concurrency import Load
from genpulse.domain.provider_account.rate import Pace, Rate


class ProviderGate(Protocol):
    """Lets work through to the providers' accounts, for all workers together.

    Never raises: when nobody can be asked, each process keeps to its own share of the rates.
    """

    def guards(self, provider: str) -> bool:
        """Whether there is anything to ask: not where work is done here and no rate is set."""

    async def admit(self, provider: str, count: int) -> Admission:
        """Let at most `count` (1 or more) new tasks through."""

    async def give_back(self, provider: str, count: int) -> None:
        """Take back admissions of so many tasks that asked the provider for nothing; 0: one has asked in vain.

        Their turns are free again, and a probe ends, since one of them may have been it.
        """

    async def succeeded(self, provider: str) -> None:
        """Note that the account took a task: its circuit closes. A wait that the provider asked for goes on.

        Where it was learned that it bears less at once than is configured, it may bear one more now and then.
        """

    async def failed(self, provider: str, failure: Failure, load: Load | None = None) -> Circuit:
        """Note that an attempt that asked the provider failed. Returns how the account is since then.

        Any definite answer closes the circuit as a success does; trouble that others would meet too counts towards
        opening it; what was asked for by RATE_LIMITED is kept; a failure of our own kind only ends a probe. `load`
        is what the account bore: where it was RATE_LIMITED, half of that is what it is asked for at once.
        """

    def limits(self, provider: str) -> Limits:
        """The limits of the account."""

    async def pace(self, name: str, rate: Rate) -> Pace:
        """Let something of that name happen now, or say when it may."""

    async def circuit(self, provider: str) -> Circuit:
        """The circuit of the account."""

    async def history(self, provider: str) -> tuple[CircuitEvent, ...]:
        """What happened to the circuit of the account, the newest first: the last of it, as far as it is known."""
