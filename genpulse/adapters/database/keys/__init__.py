"""API keys and their webhook secrets on PostgreSQL."""
