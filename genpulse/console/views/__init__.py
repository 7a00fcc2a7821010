"""What pages show, as values that templates write: outputs, bars of time, words for states."""
