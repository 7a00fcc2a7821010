"""Sections of what is told to others about this process: traces, and errors."""

from pydantic import Field

from genpulse.configuration.settings.values import Optional, OptionalSecret, Section


class TracingSection(Section):
    """Traces for OpenTelemetry, from the request to the webhook. They need the extra genpulse[otel]."""

    otlp_url: Optional = Field(
        None,
        description=(
            "Where a collector takes OTLP over HTTP, such as http://localhost:4318, behind which /v1/traces is"
            " put; empty: nothing is traced."
        ),
    )
    headers: OptionalSecret = Field(
        None, description="Headers that go there, as name=value with commas between them; values percent-encoded."
    )
    sample: float = Field(
        1.0, ge=0, le=1, description="Which part of the traces that begin here is kept: 0.1 is every tenth."
    )
    trust_callers: bool = Field(
        default=True,
        description=(
            "Whether a caller's traceparent is gone on with, and its word on sampling kept; false begins a trace"
            " of our own that links to it."
        ),
    )


class SentrySection(Section):
    """Errors for Sentry. They need the extra genpulse[sentry]."""

    dsn: OptionalSecret = Field(
        None, description="Address of the project at Sentry, with its key; empty: nothing is sent there."
    )
