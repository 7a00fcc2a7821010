"""Redis or Valkey: live events, rate limits and presence, all of which may be lost."""

from genpulse.unneeded_packages import without

with without("cryptography", "opentelemetry.sdk"):  # 9 MB, for a certificate's OCSP and for its own metrics
    import redis.asyncio  # noqa: F401
