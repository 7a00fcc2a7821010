"""Background loops, alarms, outage logging and garbage collection of a process."""
