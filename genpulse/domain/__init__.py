"""Domain values and decisions, without input or output."""
