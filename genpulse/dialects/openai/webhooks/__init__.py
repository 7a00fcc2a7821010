"""Webhook messages, and the secret by which they are verified."""
