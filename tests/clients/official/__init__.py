"""The official clients of others, each in an environment of its own, against a real stack."""
