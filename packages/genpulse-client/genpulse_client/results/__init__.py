"""What the API answers, as typed values."""
