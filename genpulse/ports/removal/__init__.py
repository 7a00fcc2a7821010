"""Deletion for good, and the end of what is old."""
