"""Submissions: what is ordered, with which files, under which idempotency key."""
