"""The HTTP API: thin; no decision is taken here."""
