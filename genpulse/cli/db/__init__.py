"""`genpulse db`: upgrade the database, and prune what is old."""
