"""A job at a remote vendor: order, poll, look up, cancel."""
