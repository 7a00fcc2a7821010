"""Programs that make load, each a process of its own."""
