"""`genpulse flow`: the branching model as commands."""
