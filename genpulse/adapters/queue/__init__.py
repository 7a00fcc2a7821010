"""The task queue on PostgreSQL."""
