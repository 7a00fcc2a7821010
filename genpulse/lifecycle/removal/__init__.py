"""Removing tasks and assets: on request, and when they are too old."""
