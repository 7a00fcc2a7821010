"""One attempt at a task: from a claimed task to its stored outputs."""
