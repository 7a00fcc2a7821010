"""Webhook deliveries, and which of them a task wants."""
