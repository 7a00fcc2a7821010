"""Tasks, and batches of them."""
