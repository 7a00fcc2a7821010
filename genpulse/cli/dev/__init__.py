"""`genpulse dev`: the local stack, and the verbs that look at it."""
