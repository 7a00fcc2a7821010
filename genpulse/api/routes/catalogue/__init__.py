"""The routes of providers, their models, and routes over several models."""
