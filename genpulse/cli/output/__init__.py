"""Output of commands: tables, progress, moments, and the places of files."""
