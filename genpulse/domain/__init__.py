"""What GenPulse is about, without any input or output: values, legal moves, decisions."""
