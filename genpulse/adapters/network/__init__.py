"""Name resolution, public addresses, and why a server cannot be reached."""
