"""Findings about webhook secrets of API keys."""

from genpulse.cli.doctor.finding import Finding, well, wrong
from genpulse.domain.errors import DatabaseUnavailable, SealedSecret
from genpulse.ports import KeyStore


async def webhook_secrets(keys: KeyStore) -> list[Finding]:
    """Findings about webhook secrets of keys; none where no key has one, or the database does not say."""
    findings: list[Finding] = []
    try:
        own = [key for key in await keys.all() if key.webhook_secret_at is not None]
        for key in own:
            try:
                await keys.webhook_secrets(key.id)
            except SealedSecret as error:
                advice = "messages about its tasks wait until then, for a day at most"
                findings.append(wrong("webhook secrets", f"{key.name!r}: {error}", advice))
    except DatabaseUnavailable:
        return []
    if own and not findings:
        return [well("webhook secrets", f"{len(own)} of API keys, which can be opened")]
    return findings
