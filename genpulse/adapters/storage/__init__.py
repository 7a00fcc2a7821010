"""The team's own storage, and what the bytes in it are."""
