"""What an upgrade does beside its migrations, and what it would do."""
