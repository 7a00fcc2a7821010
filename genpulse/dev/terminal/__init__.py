"""Terminal output of a local stack, and its keys."""
