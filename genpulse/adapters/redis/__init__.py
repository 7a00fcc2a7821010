"""What lives in Redis, or Valkey: live events and presence, both of which may be lost."""
