"""Budgets: checked before money is spent, told of, and warned of."""
