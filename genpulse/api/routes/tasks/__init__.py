"""The routes of tasks and of batches."""
