"""`genpulse tasks`: list, show, watch, cancel and retry."""
