"""What a person sees of a local stack, and the keys that are pressed."""
