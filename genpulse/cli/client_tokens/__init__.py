"""`genpulse client-tokens`."""
