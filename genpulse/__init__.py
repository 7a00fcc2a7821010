"""GenPulse: one durable task API in front of slow, flaky, paid generative media."""
