"""API keys inside this process."""
