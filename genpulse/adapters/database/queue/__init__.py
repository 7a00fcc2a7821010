"""The queue of due tasks, and the notifications that work is due."""
