"""What must hold of settings, and of the files that hold them."""
