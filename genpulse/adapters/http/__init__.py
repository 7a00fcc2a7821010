"""Talking to vendors over HTTP."""
