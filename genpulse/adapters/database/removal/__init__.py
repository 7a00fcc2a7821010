"""Deletion, pruning and retention in PostgreSQL."""
