"""What GenPulse is measured beside: floors without its promises, and what a team would have otherwise."""
