"""The outputs of an attempt: received, validated, collected and stored."""
