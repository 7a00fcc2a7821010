"""`genpulse generate --from`: many tasks from the rows of a file to their files."""
