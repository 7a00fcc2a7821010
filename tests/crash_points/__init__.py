"""Crash points: every scenario, broken at every statement that it sends, in every way."""
