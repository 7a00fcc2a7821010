"""API keys: what they may do, who calls, and the secrets that sign their webhooks."""
