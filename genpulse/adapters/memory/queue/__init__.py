"""The queue of due tasks inside this process, and whose turn it is."""
