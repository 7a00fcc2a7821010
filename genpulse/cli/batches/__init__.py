"""`genpulse batches`."""
