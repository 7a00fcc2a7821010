"""Errors for Sentry; needs the extra `genpulse[sentry]`."""
