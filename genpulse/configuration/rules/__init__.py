"""Rules for settings, and for the files that hold them."""
