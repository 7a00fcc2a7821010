"""Sends messages to other systems."""
