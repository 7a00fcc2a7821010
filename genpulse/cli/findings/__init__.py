"""What `genpulse doctor` looks at: a file for each place."""
