"""Thumbnails, and what callers said of their files, inside this process."""
