"""What attempts cost, and what an environment, a key or a day may spend."""
