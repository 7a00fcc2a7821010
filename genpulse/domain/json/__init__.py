"""JSON values, and places in them."""
