"""The proxies of this process: what goes by which, and whether they are there."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress

from genpulse.addresses.proxies import Proxies, Proxy
from genpulse.cli.doctor.finding import Finding, well, wrong

_CONNECT_S = 3.0


def proxies(configured: Proxies) -> Iterator[Finding]:
    """Findings about proxies; none where there is no proxy."""
    if not any(configured):
        return
    ways = (("https", configured.https), ("http", configured.http))
    by = ", ".join(f"{scheme} {f'by {proxy}' if proxy else 'directly'}" for scheme, proxy in ways)
    excluded = f", and NO_PROXY ({', '.join(configured.excluded)})" if configured.excluded else ""
    yield well("proxy", f"vendors, webhooks and storage: {by}; directly: this machine{excluded}")
    for proxy in configured:
        if why := asyncio.run(_absence(proxy)):
            detail = f"{proxy} cannot be connected to: {why}"
            advice = f"mend {proxy.variable}, or name in NO_PROXY what is reached without (* for everything)"
            yield wrong("proxy", detail, advice)


async def _absence(proxy: Proxy) -> str:
    try:
        async with asyncio.timeout(_CONNECT_S):
            _, writer = await asyncio.open_connection(proxy.host, proxy.port)
    except TimeoutError:
        return f"no answer within {_CONNECT_S:g} s"
    except (OSError, UnicodeError) as error:
        return str(error)
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return ""
