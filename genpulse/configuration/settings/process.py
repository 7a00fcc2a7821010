"""Sections of every process: its log, and the release that runs."""

from typing import Literal

from pydantic import Field

from genpulse.configuration.settings.values import Section


class Log(Section):
    """What is written to standard output."""

    level: Literal["debug", "info", "warning", "error"] = Field("info", description="The least that is written.")
    format: Literal["auto", "text", "json"] = Field(
        "auto", description="auto is text for people in development and JSON elsewhere."
    )


class Release(Section):
    """What may be started."""

    require_tag: bool = Field(
        default=True,
        description="Production starts only a build of a final tag (vX.Y.Z); false lets it start any.",
    )
