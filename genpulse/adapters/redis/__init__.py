"""Redis or Valkey: live events, rate limits and presence, all of which may be lost."""
