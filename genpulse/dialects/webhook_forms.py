"""The forms of webhook messages that dialects bring."""

from collections.abc import Mapping

from genpulse.dialects.fal.webhook import fal_form
from genpulse.dialects.openai.webhooks.form import OpenAIForm
from genpulse.dialects.options import DialectOptions
from genpulse.dialects.replicate.webhook_form import LinksAtHand, replicate_form
from genpulse.lifecycle.webhooks.forms import WebhookForm
from genpulse.ports import Services


def webhook_forms(options: DialectOptions, services: Services, links: LinksAtHand) -> Mapping[str, WebhookForm]:
    """All of them, by the names that orders say; also of doors that are closed by now."""
    return {
        "fal": fal_form(services, links),
        "openai": OpenAIForm(),
        "replicate": replicate_form(options, services, links),
    }
