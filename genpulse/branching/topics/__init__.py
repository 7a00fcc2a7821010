"""Topic branches: begun, finished, compared with their remote."""
