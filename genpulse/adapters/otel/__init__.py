"""Traces for OpenTelemetry; needs the extra `genpulse[otel]`."""
