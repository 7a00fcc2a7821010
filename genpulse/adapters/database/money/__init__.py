"""Budgets, spending counters and the ledger."""
