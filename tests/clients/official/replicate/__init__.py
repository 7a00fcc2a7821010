"""The official clients of Replicate."""
