"""`genpulse doctor`: a file for each part that it checks."""
