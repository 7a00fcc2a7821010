"""`genpulse models`: the catalogue, and what becomes of its models."""
