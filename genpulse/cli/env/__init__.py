"""`genpulse env`: the environment that is in force, and what belongs to it."""
