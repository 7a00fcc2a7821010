"""Prometheus metrics, a file a family."""
