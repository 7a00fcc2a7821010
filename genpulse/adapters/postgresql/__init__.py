"""Connections to PostgreSQL, and the meaning of its errors."""
