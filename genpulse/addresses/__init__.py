"""Server addresses: parsing, and what is wrong with them, without connecting."""
