"""Upgrades beside running processes: what each migration does to tables, and how long others wait for it."""
