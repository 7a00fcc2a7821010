"""Git as a process, and what a repository and its remote hold."""
