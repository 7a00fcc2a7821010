"""The section of the doors: the APIs of others that this one speaks."""

from pydantic import Field

from genpulse.configuration.settings.values import Section

LONGEST_WAIT_S = 3600


class DoorsSection(Section):
    """The APIs of Replicate, fal and OpenAI, spoken beside our own at `/replicate`, `/fal` and `/openai`."""

    replicate: bool = Field(default=True, description="Whether clients of Replicate are served.")
    fal: bool = Field(default=True, description="Whether clients of fal are served.")
    openai: bool = Field(default=True, description="Whether clients of OpenAI are served.")
    replicate_wait_s: int = Field(
        60, ge=1, le=LONGEST_WAIT_S, description="Seconds for which `Prefer: wait` of Replicate holds at most."
    )
    fal_wait_s: int = Field(
        600, ge=1, le=LONGEST_WAIT_S, description="Seconds for which a run of fal is held at most."
    )
    openai_wait_s: int = Field(
        600, ge=1, le=LONGEST_WAIT_S, description="Seconds for which pictures and speech of OpenAI are waited for."
    )
    aliases: dict[str, str] = Field(
        default_factory=dict,
        description=(
            "For the name of a model as clients of others know it the id of a model or the name of a route here,"
            " such as `black-forest-labs/flux-schnell: fal/fal-ai/flux/schnell`."
        ),
    )
