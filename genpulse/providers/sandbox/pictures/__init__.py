"""Pictures, painted by rules from the words of a prompt and a seed."""
