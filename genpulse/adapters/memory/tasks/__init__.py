"""Tasks and batches inside this process: submitted, started, ended, moved along their routes, and found."""
