"""Candidates, approvals, releases, and what may be deployed where."""
