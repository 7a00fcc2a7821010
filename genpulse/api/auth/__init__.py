"""Authentication of callers, their rights, and signed URLs."""
