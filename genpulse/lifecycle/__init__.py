"""The life of a task, a file a step. Steps do not import each other."""
