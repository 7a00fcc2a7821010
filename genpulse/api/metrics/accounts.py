"""Figures of providers' accounts."""

import asyncio
from functools import partial

from prometheus_client import CollectorRegistry, Gauge

from genpulse.domain.provider_account.gate import Circuit, CircuitState
from genpulse.ports import Services


class AccountFigures:
    """The circuit of each account, and how much it is asked for at once."""

    def __init__(self, registry: CollectorRegistry) -> None:
        gauge = partial(Gauge, registry=registry)
        meaning = "1 for the state in which a provider's account is, else 0."
        self._circuits = gauge("genpulse_provider_circuit", meaning, ("provider", "state"))
        meaning = "Attempts that failed in a row because of a provider's account."
        self._in_a_row = gauge("genpulse_provider_failures", meaning, ("provider",))
        meaning = "Seconds for which a provider's account is still left alone, by the code of the answer."
        self._held_s = gauge("genpulse_provider_hold_seconds", meaning, ("provider", "code"))
        meaning = "Since when a provider's account is left alone, in seconds since 1970."
        self._held_since = gauge("genpulse_provider_hold_since_seconds", meaning, ("provider", "code"))
        meaning = (
            "How many tasks a provider's account is asked for at once: configured, and learned by its refusals."
        )
        self._at_once = gauge("genpulse_provider_concurrency", meaning, ("provider", "kind"))

    async def look(self, services: Services, timeout_s: float) -> None:
        """What the gate says; without an answer in time only what is configured."""
        guarded = [name for name in services.catalogue.providers() if services.gate.guards(name)]
        try:
            async with asyncio.timeout(timeout_s):
                circuits = await asyncio.gather(*map(services.gate.circuit, guarded))
        except TimeoutError:
            circuits = []
        for figure in (self._circuits, self._in_a_row, self._held_s, self._held_since, self._at_once):
            figure.clear()
        for provider in services.catalogue.providers():
            if (configured := services.gate.limits(provider).concurrency) is not None:
                self._at_once.labels(provider, "configured").set(configured)
        for provider, circuit in zip(guarded, circuits, strict=False):
            self._show(provider, circuit, services.now().timestamp())

    def _show(self, provider: str, circuit: Circuit, now: float) -> None:
        for state in CircuitState:
            self._circuits.labels(provider, state.value).set(circuit.state is state)
        self._in_a_row.labels(provider).set(circuit.failures)
        if circuit.learned is not None:
            self._at_once.labels(provider, "learned").set(circuit.learned.concurrency)
        if (hold := circuit.hold) is None:
            return
        self._held_s.labels(provider, hold.code).set(hold.left_s or 0.0)
        if hold.since_s is not None:
            self._held_since.labels(provider, hold.code).set(now - hold.since_s)
