"""What is checked with tools that `make test` does not need: `make ops`."""
