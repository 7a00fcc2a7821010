"""https on this machine: an authority of one's own, and what it has signed."""
