"""Bytes of assets, their thumbnails, and what callers said of their files."""
