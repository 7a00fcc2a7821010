"""What tasks came to, and what may be spent."""
