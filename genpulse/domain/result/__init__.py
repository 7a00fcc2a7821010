"""What a provider answered as JSON: its files are places in it, and no more is lost than what is too large."""
