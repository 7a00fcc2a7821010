"""Background loops, outage logging and garbage collection of a process."""
