"""What stands behind the installation fails, and something else takes its place."""
