"""Settings as pages: the example, the reference, and where each value comes from."""
