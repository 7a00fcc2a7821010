"""Deletion, and the end of what is old, inside this process."""
