"""How much is drawn."""

EXAMPLES = "GENPULSE_ODD_ANSWERS"
"""The variable that says how many batches are drawn; where it is not set, a few, and always the same."""
