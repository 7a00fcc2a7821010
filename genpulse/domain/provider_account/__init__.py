"""Circuit breaker, rate limit and verdicts of one provider account."""
