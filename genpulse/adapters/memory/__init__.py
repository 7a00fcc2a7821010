"""Twins of the ports that live in this process alone: for tests, and for trying things out."""
