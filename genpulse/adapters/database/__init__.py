"""Tasks, attempts and assets on PostgreSQL."""
