"""Inputs: fields that take files, the files that inputs name, and fields that a model does not have."""
