"""Webhooks about tasks: put into words, delivered, signed, and shared out between receivers."""
