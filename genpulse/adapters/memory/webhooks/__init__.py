"""Webhook deliveries inside this process, and a sender that keeps them."""
