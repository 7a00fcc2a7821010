"""A task's life, a file a step. Data walks one way; no step knows another."""
