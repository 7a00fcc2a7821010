"""`genpulse keys`: create, list, change and revoke API keys."""
