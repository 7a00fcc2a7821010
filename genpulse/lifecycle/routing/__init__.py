"""Routes: which models may be asked, which one is next, and moving what waits."""
