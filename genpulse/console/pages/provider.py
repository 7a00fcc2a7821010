"""One provider: how its account is, what happened to it, and asking it now."""

import asyncio
from dataclasses import dataclass

from starlette.responses import Response

from genpulse.console.forms.posted_form import PageForm
from genpulse.console.pages.models import provider_row
from genpulse.console.visit import Visit
from genpulse.domain.errors import ProviderError, UnknownProvider
from genpulse.domain.provider_account.rate import Rate

PROBES = Rate.parse("6/min")
"""As often anybody may ask from here."""
LONGEST_PROBE_S = 20.0


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """What came of asking: the `message` of the provider, or why it did not, with the failure's `code`."""

    message: str
    code: str = ""


async def show(visit: Visit) -> Response:
    """The page. Raises `UnknownProvider`."""
    return await _page(visit, _named(visit))


async def probe(visit: Visit, _form: PageForm) -> Response:
    """Make the provider's cheapest real call, and say what it found. Raises `UnknownProvider`."""
    name = _named(visit)
    return await _page(visit, name, await _probed(visit, name))


async def _probed(visit: Visit, name: str) -> ProbeResult:
    ask = visit.console.options.probe
    if ask is None:
        return ProbeResult("This console asks no provider.", "nobody_asks")
    if wait_s := (await visit.services.gate.pace(f"probe:{name}", PROBES)).wait_s:
        return ProbeResult(f"It was asked just now: try again in {wait_s:.0f} seconds.", "asked_just_now")
    try:
        async with asyncio.timeout(LONGEST_PROBE_S):
            return ProbeResult(await ask(name))
    except TimeoutError:
        return ProbeResult(f"It said nothing for {LONGEST_PROBE_S:.0f} seconds.", "timeout")
    except ProviderError as error:
        return ProbeResult(error.failure.message, error.failure.code.value)


async def _page(visit: Visit, name: str, probed: ProbeResult | None = None) -> Response:
    services = visit.services
    row, history = await asyncio.gather(
        provider_row(services, name, [model_id for model_id, _ in services.catalogue.models()]),
        services.gate.history(name),
    )
    return visit.page(
        "provider.html",
        name,
        one=row,
        history=history,
        probed=probed,
        can_probe=visit.viewer.is_admin and visit.console.options.probe is not None and not row.lacks,
    )


def _named(visit: Visit) -> str:
    name = str(visit.request.path_params["name"])
    names = visit.services.catalogue.providers()
    if name not in names:
        raise UnknownProvider(name[:100], names)
    return name
