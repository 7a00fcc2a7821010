"""The lanes dev, test and main: promotion, back-merges and what must always hold of them."""
