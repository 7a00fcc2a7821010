"""Environments: the closed table, and which one this process is in."""
