"""Tasks and batches: submitted, started, ended, moved along their routes, and found."""
