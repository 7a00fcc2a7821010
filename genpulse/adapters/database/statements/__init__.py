"""The SQL of the task store and its queue, a file a kind of step."""
