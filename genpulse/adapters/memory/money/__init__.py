"""Budgets, spending counters and the ledger inside this process."""
