"""The provider `hello`: greetings, drawn by a vendor."""

from genpulse.provider import Model, Provider, ProviderSettings
from genpulse.provider.account import Account
from genpulse_provider_hello.greetings import Greeting, Greetings, explain

BASE_URL = "https://api.hello.example"


def provider(settings: ProviderSettings) -> Provider:
    """What GenPulse calls once in each process; nothing is asked of the vendor yet.

    `options.webhook_secret` verifies the vendor's notices.
    """
    headers = {"Authorization": f"Bearer {settings.api_key}"} if settings.api_key else {}
    base_url = settings.base_url or BASE_URL
    account = Account(
        settings.http,
        base_url,
        headers,
        explain,
        result_paths=("/pictures/",),
        allowed_hosts=settings.allowed_hosts,
    )
    engine = Greetings(account, str(settings.options.get("webhook_secret", "")))

    async def probe() -> str:
        found = (await account.probe("GET", "/v1/account")).document()
        return f"the account is {found.get('name')}"

    return Provider(
        "hello",
        (Model("greeting", ("text-to-image",), Greeting, engine, "Greeting", "A greeting for one person."),),
        title="Hello",
        paid=False,
        configured=settings.api_key is not None,
        probe=probe,
    )
