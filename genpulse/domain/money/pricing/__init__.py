"""What vendors charge by: rules that say what an order can cost at most, and what it did cost."""
