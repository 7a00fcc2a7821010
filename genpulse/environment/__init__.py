"""Which environment this process belongs to."""
