"""Configuration: sources, layers, rules, and the typed settings."""
