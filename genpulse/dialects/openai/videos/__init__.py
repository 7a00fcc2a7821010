"""Videos: asked for, polled, listed and deleted."""
