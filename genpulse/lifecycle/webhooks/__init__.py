"""Webhooks about ended tasks: delivered, signed, and shared out between receivers."""
