"""The painting, moving, as a video file."""
