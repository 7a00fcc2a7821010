"""fal: the queue, runs, streams and uploads."""
