"""Searches over tasks: filters, groups, sums and what waits."""
