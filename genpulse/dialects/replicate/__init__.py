"""Replicate: predictions, files, models."""
