"""Bodies about tasks and batches: submits, filters, actions, and what is shown of them."""
