"""Files: brought, and deleted."""
