"""The door for clients of OpenAI."""

from starlette.responses import Response
from starlette.types import Scope

from genpulse.api.door import Door, Refusal
from genpulse.dialects.model_names import ModelNames
from genpulse.dialects.openai.images.calls import Images
from genpulse.dialects.openai.models import Models
from genpulse.dialects.openai.parts import Parts
from genpulse.dialects.openai.refusals import is_sent_again, refuse
from genpulse.dialects.openai.speech import Speech
from genpulse.dialects.openai.videos.calls import Videos
from genpulse.dialects.openai.webhooks.secret import WebhookSecret
from genpulse.dialects.options import DialectOptions
from genpulse.dialects.repeated_calls import RepeatedCalls

NAME = "openai"
USUAL_WAIT_S = 600


def openai_door(options: DialectOptions) -> Door:
    """The door under `/openai`."""
    repeated = RepeatedCalls()
    parts = Parts(ModelNames(options.aliases, NAME), repeated, options.wait_s.get(NAME, USUAL_WAIT_S))
    calls = [
        call for resource in (Images, Videos, Speech, Models, WebhookSecret) for call in resource(parts).calls()
    ]

    def refused(error: Refusal, scope: Scope) -> Response:
        if is_sent_again(error):
            repeated.refused_unread(scope)
        return refuse(error, scope)

    return Door(NAME, f"/{NAME}", calls, refused)
