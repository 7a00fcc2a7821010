"""Submitting tasks, one by one and in batches."""
