"""Findings about provider accounts."""

import asyncio
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from genpulse.cli.doctor.finding import Finding, warning, well
from genpulse.cli.output.account_hold import failing, held_back
from genpulse.configuration.sources.variables import variable_name
from genpulse.domain.failure import FailureCode
from genpulse.domain.provider_account.gate import Circuit
from genpulse.ports import Services


async def accounts(services: Services) -> list[Finding]:
    """Each account that is left alone, or that all is well, as Redis knows it."""
    names = [name for name in services.catalogue.providers() if services.gate.guards(name)]
    circuits = await asyncio.gather(*map(services.gate.circuit, names))
    return list(of_accounts(dict(zip(names, circuits, strict=True)), services.now()))


def of_accounts(circuits: Mapping[str, Circuit], now: datetime) -> Iterator[Finding]:
    """Yield the findings about accounts, by the provider's name."""
    findings = [finding for name, circuit in circuits.items() if (finding := _of_account(name, circuit, now))]
    yield from findings
    if circuits and not findings:
        yield well("accounts", f"none of {len(circuits)} is left alone")


def _of_account(name: str, circuit: Circuit, now: datetime) -> Finding | None:
    if (hold := circuit.hold) is not None:
        since = None if hold.since_s is None else now - timedelta(seconds=hold.since_s)
        until = None if hold.left_s is None else now + timedelta(seconds=hold.left_s)
        return warning(f"account {name}", held_back(since, until, hold.answer, now), _advice(name, hold.code))
    if circuit.failures:
        advice = _advice(name, circuit.reason.partition(":")[0])
        return warning(f"account {name}", failing(circuit.failures, circuit.reason), advice)
    return None


def _advice(name: str, code: str) -> str:
    match code:
        case FailureCode.AUTHENTICATION_FAILED:
            return f"look at {variable_name(f'providers.{name}.api_key')}; genpulse providers test {name} tries it"
        case FailureCode.QUOTA_EXHAUSTED:
            return "top up the account, or raise its limit at the vendor"
        case FailureCode.RATE_LIMITED:
            rate = variable_name(f"providers.{name}.rate")
            return f"tasks wait meanwhile; keep below the vendor's limit with {rate}"
        case _:
            return "tasks wait and go on by themselves; look at the vendor's own page when it lasts"
